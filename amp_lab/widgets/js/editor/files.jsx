import { useEffect, useState } from 'react';
import { h } from '../base/dom.js';

/** A line under the toolbar with messages and choices about the graph's file. */
export function FileLine({ file, ask, link }) {
  const [both, setBoth] = useState([]);
  const [closed, setClosed] = useState('');
  const key = file.differences.join();
  useEffect(() => {
    const look = () => link.send('look');
    window.addEventListener('focus', look);
    return () => window.removeEventListener('focus', look);
  }, [link]);
  useEffect(() => {
    if (!key) return undefined;
    let urls = [];
    let ended = false;
    ask('both').then((answer) => {
      if (ended || !answer) return;
      urls = answer.buffers.map((png) => URL.createObjectURL(new Blob([png], { type: 'image/png' })));
      setBoth(urls);
    });
    return () => { ended = true; urls.forEach((url) => URL.revokeObjectURL(url)); setBoth([]); };
  }, [key, ask]);
  const choices = Object.entries(file.choices);
  if (!file.loud || closed === file.text) return null;
  return (
    <div className="fileline" role="status" data-status={file.status}>
      <div>
        <span>{file.text}.</span>
        {choices.map(([choice, label]) => <button key={choice} data-choice={choice} onClick={() => ask('choose', { choice })}>{label}</button>)}
        {!choices.length && <button className="amp-icon" aria-label="Close" title="Close" onClick={() => setClosed(file.text)}>×</button>}
      </div>
      {key && (
        <div className="both">
          {both.map((url, i) => <figure key={url}><figcaption>{i ? 'here' : 'in the file'}</figcaption><img src={url} alt="" /></figure>)}
          <ul>{file.differences.map((line) => <li key={line}>{line}</li>)}</ul>
        </div>
      )}
    </div>
  );
}

/** Save under a name, open, export. */
export function Files({ mode, name, seconds, ask, onClose }) {
  const [names, setNames] = useState([]);
  const [path, setPath] = useState(mode === 'save' ? `${name}.amp.json` : '');
  const [length, setLength] = useState(seconds);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (mode === 'open') ask('files').then((answer) => answer && setNames(answer.names));
  }, [mode, ask]);
  const run = async (kind, content) => {
    setBusy(true);
    const answer = await ask(kind, content);
    setBusy(false);
    if (!answer) return;
    if (kind === 'export') download(answer.name, answer.buffers[0]);
    onClose();
  };
  const go = (event) => {
    event.preventDefault();
    run(mode, { path });
  };
  return (
    <div className="files" role="dialog" aria-label={TITLES[mode]} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className="code-head"><b>{TITLES[mode]}</b><button onClick={onClose}>Close</button></div>
      {mode === 'export' ? (
        <div className="row">
          <label>Seconds <input type="number" min="0.01" max="600" step="any" value={length} onChange={(event) => setLength(event.target.value)} /></label>
          <button autoFocus disabled={busy} onClick={() => run('export', { what: 'wav', seconds: Number(length) })}>{busy ? 'Rendering' : 'Sound (WAV)'}</button>
          <button disabled={busy} onClick={() => run('export', { what: 'png' })}>Picture (PNG)</button>
          <button disabled={busy} onClick={() => run('export', { what: 'json' })}>Graph (JSON)</button>
        </div>
      ) : (
        <form className="row" onSubmit={go}>
          <input autoFocus aria-label="Path" placeholder="voice.amp.json" value={path} onChange={(event) => setPath(event.target.value)} />
          <button disabled={busy || !path}>{mode === 'save' ? 'Save' : 'Open'}</button>
        </form>
      )}
      {names.map((found) => <button key={found} className="found" onClick={() => run('open', { path: found })}>{found}</button>)}
    </div>
  );
}

const TITLES = { save: 'Save the patch as', open: 'Open a patch', export: 'Export' };

/** Have the browser save bytes; works in every host that shows the page. */
function download(name, data) {
  const url = URL.createObjectURL(new Blob([data]));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Code that was copied; if the page may not use the clipboard, it is selected for Control+C. */
export function Code({ text, onClose }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    navigator.clipboard?.writeText(text).then(() => setCopied(true), () => {});
  }, [text]);
  return (
    <div className="code" role="dialog" aria-label="Python" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <div className="code-head">
        <b>Python that rebuilds the graph: {copied ? 'copied' : 'selected, copy it with Ctrl+C'}</b>
        <button onClick={onClose}>Close</button>
      </div>
      <textarea readOnly autoFocus spellCheck={false} value={text} onFocus={(event) => event.target.select()} />
    </div>
  );
}
