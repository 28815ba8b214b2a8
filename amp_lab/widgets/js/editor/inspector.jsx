import { memo } from 'react';
import { brief, si } from '../base/format.js';
import { NumberEntry, TextEntry } from './entry.jsx';
import { ends, hue } from './shapes.js';

/** The selected item, with every property that can be edited. */
export const Inspector = memo(function Inspector({ document, contracts, names, links, badges, edit, run, focus }) {
  if (links.length === 1 && !names.length) return <LinkPage id={links[0]} document={document} edit={edit} focus={focus} />;
  if (names.length === 1 && document.nodes[names[0]]) {
    return <NodePage name={names[0]} document={document} contracts={contracts} badge={badges[names[0]]} edit={edit} focus={focus} />;
  }
  return <ManyPage names={names} links={links} document={document} run={run} />;
});

function NodePage({ name, document, contracts, badge, edit, focus }) {
  const node = document.nodes[name];
  const contract = contracts[node.type];
  const near = [...Object.entries(document.edges), ...Object.entries(document.modulations)]
    .filter(([, link]) => ends(link.from)[0] === name || ends(link.to)[0] === name);
  return (
    <aside className="inspector" aria-label={`Properties of ${name}`} style={{ '--hue': hue(contract.group) }}>
      <TextEntry value={name} label="Name" onCommit={(text) => edit([{ op: 'rename', node: name, name: text }])} />
      <p><b className="kind">{node.type}</b> {contract.summary}</p>
      {contract.params.map((param) => <Param key={param.key} name={name} node={node} param={param} document={document} edit={edit} />)}
      {badge && (
        <dl>
          <dt>time</dt><dd>{si(badge.seconds, 's')}, {Math.round(badge.share * 100)} %</dd>
          {badge.heat_j !== null && badge.heat_j !== undefined && <><dt>heat</dt><dd>{si(badge.heat_j, 'J')}</dd></>}
          <dt>latency</dt><dd>{badge.latency_frames} frames</dd>
        </dl>
      )}
      {near.length > 0 && <h4>Connections</h4>}
      {near.map(([key, link]) => {
        const other = ends(link.from)[0] === name ? link.to : link.from;
        return (
          <button key={`${link.mode ?? ''}${key}`} className="amp-link wide" onClick={() => focus(ends(other)[0])}>
            {ends(link.from)[0] === name ? '→' : '←'} {other}{link.mode ? ' (modulation)' : ''}
          </button>
        );
      })}
      <details><summary>About {node.type}</summary><p className="long">{contract.doc}</p></details>
    </aside>
  );
}

function Param({ name, node, param, document, edit }) {
  const own = node.params?.[param.key];
  const value = own ?? param.default;
  const set = (next) => edit([{ op: 'set', node: name, params: { [param.key]: next } }], `set:${name}.${param.key}:${Math.floor(Date.now() / 1500)}`);
  const moved = Object.values(document.modulations).some((link) => link.to === `${name}.${param.key}`);
  return (
    <div className="param" title={param.doc}>
      <label>{param.key}{moved && <i title="modulated"> ∿</i>}</label>
      <span className="control">
        <Value name={name} node={node} param={param} value={value} set={set} />
        <span className="unit">{param.unit}</span>
        <button className="amp-icon reset" title="Back to the default" aria-label={`Reset ${param.key}`} disabled={own === undefined && !node.arrays?.[param.key]}
          onClick={() => set(param.default)}>↺</button>
      </span>
    </div>
  );
}

function Value({ name, node, param, value, set }) {
  const label = `${name} ${param.key}`;
  if (node.arrays?.[param.key] || (typeof value === 'object' && value !== null)) {
    return <output aria-label={label}>{node.arrays?.[param.key] ? node.arrays[param.key].join(' × ') : brief(value)}</output>;
  }
  if (param.kind === 'enum') {
    return (
      <select aria-label={label} value={value} onChange={(event) => set(event.target.value)}>
        {param.choices.map((choice) => <option key={choice}>{choice}</option>)}
      </select>
    );
  }
  if (param.kind === 'text') return <TextEntry value={value} label={label} onCommit={set} />;
  return <NumberEntry value={value} low={param.low} high={param.high} log={param.scale === 'log'} whole={param.kind === 'integer'} label={label} onCommit={set} />;
}

function LinkPage({ id, document, edit, focus }) {
  const table = id.startsWith('e:') ? document.edges : document.modulations;
  const link = table[id.slice(2)];
  if (!link) return null;
  const change = (fields) => edit([{ op: 'change', link: id, fields }], `change:${id}:${Object.keys(fields)}:${Math.floor(Date.now() / 1500)}`);
  const field = (key, label, value, more) => (
    <div className="param"><label>{label}</label><span className="control"><NumberEntry value={value} label={label} onCommit={(next) => change({ [key]: next })} {...more} /></span></div>
  );
  return (
    <aside className="inspector" aria-label={`Properties of the connection to ${link.to}`}>
      <h3>{link.mode ? 'Modulation' : 'Connection'}</h3>
      <button className="amp-link wide" onClick={() => focus(ends(link.from)[0])}>from {link.from}</button>
      <button className="amp-link wide" onClick={() => focus(ends(link.to)[0])}>to {link.to}, slot {link.slot}</button>
      {link.mode && (
        <div className="param"><label>mode</label><span className="control">
          <select aria-label="mode" value={link.mode}
            onChange={(event) => change(event.target.value === 'add' ? { mode: 'add', offset: 0 } : { mode: 'multiply', offset: 1 })}>
            <option value="add">add</option><option value="multiply">multiply</option>
          </select></span></div>
      )}
      {link.mode && field('scale', 'scale', link.scale)}
      {link.mode === 'multiply' && field('offset', 'offset', link.offset ?? 0)}
      {link.mode && <p className="law">{link.mode === 'add' ? 'p + scale · m' : 'p · (offset + scale · m)'}</p>}
      {field('delay_frames', 'delay (frames)', link.delay_frames ?? 0, { whole: true, low: 0 })}
      {!link.mode && (
        <div className="param"><label>gates</label><span className="control">
          <TextEntry value={(link.gates ?? []).join(', ')} label="gates" onCommit={(text) => change({ gates: text.split(',').map((gate) => gate.trim()).filter(Boolean) })} />
        </span></div>
      )}
      <div className="param"><label>channel</label><span className="control">
        <TextEntry value={link.channel === undefined || link.channel === null ? 'all' : String(link.channel)} label="channel"
          onCommit={(text) => change({ channel: /^\d+$/.test(text.trim()) ? Number(text) : null })} />
      </span></div>
      <button className="danger" onClick={() => edit([{ op: 'remove', links: [id] }])}>Disconnect</button>
    </aside>
  );
}

function ManyPage({ names, links, document, run }) {
  const nodes = names.filter((name) => document.nodes[name]);
  const title = names.find((name) => name.startsWith('fold:'))?.slice(5);
  return (
    <aside className="inspector" aria-label="Selection">
      <h3>{title ?? `${nodes.length} nodes, ${links.length} connections`}</h3>
      {title && <p>{document.folds[title]?.join(', ')}</p>}
      {title && <button onClick={() => run('unfold')}>Unfold</button>}
      {nodes.length > 1 && <button onClick={() => run('gather')}>Fold into one box</button>}
      <button className="danger" onClick={() => run('remove')}>Remove</button>
    </aside>
  );
}
