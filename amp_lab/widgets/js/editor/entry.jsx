import { useEffect, useRef, useState } from 'react';
import { number } from '../base/format.js';

/** A field for a number: Enter or leaving it sends, Escape restores, arrow keys step (by a ratio on a log scale). */
export function NumberEntry({ value, low, high, log, label, whole = false, onCommit }) {
  const [text, setText] = useState(number(value));
  const [bad, setBad] = useState(false);
  const editing = useRef(false);
  useEffect(() => {
    if (!editing.current) setText(number(value));
  }, [value]);
  const send = (raw) => {
    editing.current = false;
    const given = Number(String(raw).replace(',', '.'));
    const fine = String(raw).trim() !== '' && Number.isFinite(given);
    setBad(!fine);
    if (fine && given !== value && String(raw) !== number(value)) onCommit(given);
    else if (fine) setText(number(value));
  };
  const step = (direction, fine) => {
    const size = fine ? 0.1 : 1;
    let next = log && value > 0 ? value * 2 ** ((direction * size) / 12) : value + direction * size * (whole ? 1 : span(low, high));
    if (low !== null && low !== undefined) next = Math.max(next, low);
    if (high !== null && high !== undefined) next = Math.min(next, high);
    onCommit(whole ? Math.round(next) : Number(next.toPrecision(6)));
  };
  const keys = (event) => {
    if (event.key === 'Enter') send(text);
    else if (event.key === 'Escape') {
      editing.current = false;
      setText(number(value));
      setBad(false);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault();
      editing.current = false;
      step(event.key === 'ArrowUp' ? 1 : -1, event.shiftKey);
    }
  };
  return (
    <input type="text" inputMode="decimal" className={bad ? 'number bad' : 'number'} aria-label={label} aria-invalid={bad} value={text}
      onChange={(event) => { editing.current = true; setText(event.target.value); }}
      onBlur={() => editing.current && send(text)} onKeyDown={keys} />
  );
}

function span(low, high) {
  const width = (high ?? 1) - (low ?? 0);
  return width > 0 && width < 1000 ? width / 100 : 1;
}

/** A field for a text, sent by Enter or by leaving it. */
export function TextEntry({ value, label, onCommit }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const send = () => text !== value && onCommit(text);
  const keys = (event) => {
    if (event.key === 'Enter') send();
    if (event.key === 'Escape') setText(value);
  };
  return (
    <input type="text" aria-label={label} value={text} onChange={(event) => setText(event.target.value)} onBlur={send} onKeyDown={keys} />
  );
}
