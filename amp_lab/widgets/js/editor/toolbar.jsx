import { memo } from 'react';
import { Icon } from './icons.jsx';

export const Toolbar = memo(function Toolbar({ name, file, replica, selected, problems, latency, run }) {
  const button = (icon, action, hint, disabled = false) => (
    <button className="amp-icon" disabled={disabled} title={hint} aria-label={hint} onClick={() => run(action)}><Icon name={icon} /></button>
  );
  const frames = latency === null ? '' : latency === 0 ? 'no latency' : `latency ${latency} frames`;
  return (
    <div className="toolbar" role="toolbar" aria-label="Editor">
      {button('panel', 'catalogue', 'Show or hide the catalogue')}
      <b className="title">{name}</b>
      <button className="amp-link kept" data-status={file.status} title={`${file.path || file.text}. Save under a name`} onClick={() => run('saveAs')}>{file.text}</button>
      <span className="gap" />
      {button('undo', 'undo', 'Undo (Ctrl+Z)', !replica.undo)}
      {button('redo', 'redo', 'Redo (Ctrl+Shift+Z)', !replica.redo)}
      <span className="bar" />
      {button('copy', 'copy', 'Copy (Ctrl+C)', !selected)}
      {button('paste', 'paste', 'Paste (Ctrl+V)')}
      {button('remove', 'remove', 'Remove (Delete)', !selected)}
      <span className="bar" />
      {button('arrange', 'arrange', 'Arrange by the stages of the plan')}
      {button('fit', 'fit', 'Show everything (F)')}
      <span className="bar" />
      {button('save', 'save', 'Save the patch')}
      {button('open', 'open', 'Open a patch')}
      {button('code', 'code', 'Copy code: Python that rebuilds the graph')}
      {button('export', 'export', 'Export sound, picture or graph')}
      <button className={problems.length ? 'status bad' : 'status'} title={problems[0]?.message ?? 'The plan compiles'} onClick={() => run('jump')}>
        {problems.length ? `${problems.length} problem${problems.length > 1 ? 's' : ''}` : `ready · ${frames}`}
      </button>
    </div>
  );
});

export function Problems({ problems, focus, edit }) {
  if (!problems.length) return null;
  return (
    <div className="problems" role="status">
      {problems.slice(0, 6).map((problem) => (
        <div key={problem.message}>
          <span>{problem.message}</span>
          {problem.node && <button className="amp-link" onClick={() => focus(problem.node)}>Go to {problem.node}</button>}
          {problem.cure?.length > 0 && <button onClick={() => edit(problem.cure)}>Fix</button>}
        </div>
      ))}
      {problems.length > 6 && <div className="muted">and {problems.length - 6} more</div>}
    </div>
  );
}
