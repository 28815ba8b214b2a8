import { Handle, Position } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';
import { brief, si } from '../base/format.js';
import { HEAD, ROW, hue, moving } from './shapes.js';

/** {badges, problems} by name. They are separate from the model, so that a new render redraws only boxes that changed. */
export const Marks = createContext({ badges: {}, highlight: '', crashed: '', problems: {} });

const middle = (row) => HEAD + ROW * (row + 0.5);

export const Box = memo(function Box({ data, selected }) {
  const { name, node, contract } = data;
  const { badges, highlight, crashed, problems } = useContext(Marks);
  const ports = Math.max(contract.inputs.length, contract.outputs.length);
  const style = { '--hue': hue(contract.group), '--letters': name.length };
  const classes = ['box', selected && 'selected', problems[name] && 'faulty', crashed === name && 'crashed', highlight === name && 'lit', ports + moving(contract).length < 3 && 'low'].filter(Boolean).join(' ');
  return (
    <div className={classes} style={style}>
      <div className="head">
        <span className="name">{name}</span>
        <span className="type">{node.params?.mode ?? node.params?.waveform ?? node.type}</span>
      </div>
      {Array.from({ length: ports }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its number, and none is ever moved
        <div className="row" key={row}>
          <span>{contract.inputs[row]?.key}</span>
          <span>{contract.outputs[row]?.key}</span>
        </div>
      ))}
      {moving(contract).map((param) => {
        const own = node.params?.[param.key] ?? (node.arrays?.[param.key] ? {} : undefined);
        return (
          <div className="row param" key={param.key}>
            <span>{param.key.replace(/_(hz|s|db|cycles)$/, '')}</span>
            <span className={own === undefined ? 'default' : 'own'}>{brief(own ?? param.default, param.unit)}</span>
          </div>
        );
      })}
      <div className="far-label">{name}<small>{node.type}</small></div>
      {contract.inputs.map((port, row) => (
        <Handle key={port.key} id={`i:${port.key}`} type="target" position={Position.Left} title={port.doc}
          className={port.optional ? 'audio optional' : 'audio'} style={{ top: middle(row) }} />
      ))}
      {moving(contract).map((param, row) => (
        <Handle key={param.key} id={`p:${param.key}`} type="target" position={Position.Left} title={param.doc}
          className="control" style={{ top: middle(ports + row) }} />
      ))}
      {contract.outputs.map((port, row) => (
        <Handle key={port.key} id={`o:${port.key}`} type="source" position={Position.Right} title={port.doc}
          className="audio" style={{ top: middle(row) }} />
      ))}
      {badges[name] && <Badge badge={badges[name]} />}
      {crashed === name && <Crashed />}
    </div>
  );
});

function Crashed() {
  return <div className="crash-mark">crashed here</div>;
}

function Badge({ badge }) {
  return (
    <div className="badge" style={{ '--share': badge.share }}>
      <span title="time in the node, and its share of the render">{si(badge.seconds, 's')} · {Math.round(badge.share * 100)} %</span>
      {badge.heat_j !== null && badge.heat_j !== undefined && <span title="heat" className="heat">{si(badge.heat_j, 'J')}</span>}
      {badge.latency_frames > 0 && <span title="latency">{badge.latency_frames} fr</span>}
    </div>
  );
}

export const Fold = memo(function Fold({ data, selected }) {
  const { crashed, problems } = useContext(Marks);
  const here = data.names.includes(crashed);
  const faulty = data.names.some((name) => problems[name]);
  return (
    <div className={['box fold', selected && 'selected', faulty && 'faulty', here && 'crashed'].filter(Boolean).join(' ')}>
      <div className="head"><span className="name">{data.title}</span><span className="type">{data.names.length} nodes</span></div>
      <div className="row"><span className="members">{data.names.join(', ')}</span></div>
      <div className="far-label">{data.title}<small>{data.names.length} nodes</small></div>
      {here && <Crashed />}
      <Handle id="i:" type="target" position={Position.Left} isConnectable={false} />
      <Handle id="o:" type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});
