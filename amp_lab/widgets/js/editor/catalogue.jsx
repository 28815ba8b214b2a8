import { memo, useMemo, useState } from 'react';
import { hue } from './shapes.js';

export const DRAG = 'application/x-amp-node';

/** Types whose id, group, summary or parameters contain every word, best match first. */
export function search(catalogue, text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (contract) => {
    const fields = [contract.id, contract.group, contract.summary, contract.params.map((p) => p.key).join(' '), contract.doc];
    let sum = 0;
    for (const word of wanted) {
      const place = fields.findIndex((field) => field.toLowerCase().includes(word));
      if (place < 0) return -1;
      sum += place + (contract.id.startsWith(word) ? 0 : 0.5);
    }
    return sum;
  };
  return catalogue.map((contract) => [rank(contract), contract]).filter(([score]) => score >= 0)
    .sort((a, b) => (wanted.length ? a[0] - b[0] : 0)).map(([, contract]) => contract);
}

export const Catalogue = memo(function Catalogue({ catalogue, onAdd }) {
  const [text, setText] = useState('');
  const [shown, setShown] = useState(null);
  const found = useMemo(() => search(catalogue, text), [catalogue, text]);
  const groups = text ? [['', found]] : [...Map.groupBy(found, (contract) => contract.group)];
  const pick = (event, contract) => {
    if (event.key === 'Enter') onAdd(contract.id);
  };
  return (
    <aside className="catalogue" aria-label="Catalogue of nodes">
      <input type="search" value={text} placeholder="Search nodes" aria-label="Search nodes"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && found[0] && onAdd(found[0].id)} />
      <div className="types">
        {groups.map(([group, contracts]) => (
          <section key={group}>
            {group && <h4>{group}</h4>}
            {contracts.map((contract) => (
              // biome-ignore lint/a11y/useSemanticElements: browsers do not drag a button
              <div className="entry" key={contract.id} draggable tabIndex={0} role="button" style={{ '--hue': hue(contract.group) }}
                onDragStart={(event) => event.dataTransfer.setData(DRAG, contract.id)}
                onDoubleClick={() => onAdd(contract.id)} onKeyDown={(event) => pick(event, contract)}
                onMouseEnter={() => setShown(contract)} onFocus={() => setShown(contract)}>
                {contract.id}
              </div>
            ))}
          </section>
        ))}
        {!found.length && <p className="muted">No node type has these words.</p>}
      </div>
      {shown && <Docs contract={shown} />}
    </aside>
  );
});

function Docs({ contract }) {
  return (
    <div className="docs">
      <b>{contract.id}</b> {contract.summary}
      <div className="muted">{contract.params.map((p) => p.key).join(', ') || 'no parameters'}</div>
      <div className="muted">Drag it in, or double-click.</div>
    </div>
  );
}

/** The small catalogue at the point where a line was dropped or the canvas was double-clicked. */
export function QuickAdd({ catalogue, at, onPick, onClose }) {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const found = search(catalogue, text).slice(0, 9);
  const keys = (event) => {
    if (event.key === 'Escape') onClose();
    if (event.key === 'ArrowDown') setActive((active + 1) % Math.max(found.length, 1));
    if (event.key === 'ArrowUp') setActive((active + found.length - 1) % Math.max(found.length, 1));
    if (event.key === 'Enter' && found[active]) onPick(found[active]);
  };
  return (
    <div className="quick" style={{ left: at.x, top: at.y }} role="dialog" aria-label="Add a node">
      <input autoFocus type="search" placeholder="Add a node" aria-label="Add a node" value={text} onKeyDown={keys}
        onChange={(event) => { setText(event.target.value); setActive(0); }}
        onBlur={() => setTimeout(onClose, 150)} />
      {found.map((contract, index) => (
        <div key={contract.id} className={index === active ? 'entry active' : 'entry'} style={{ '--hue': hue(contract.group) }}
          onMouseDown={() => onPick(contract)} onMouseEnter={() => setActive(index)}>
          {contract.id}<span className="muted">{contract.summary}</span>
        </div>
      ))}
    </div>
  );
}
