import '@xyflow/react/dist/base.css';
import './editor.css';
import { ReactFlowProvider } from '@xyflow/react';
import { createRoot } from 'react-dom/client';
import { h } from '../base/dom.js';
import { widget } from '../base/view.js';
import { App } from './app.jsx';
import { Replica } from '../base/replica.js';

export default widget('editor', ({ model, root, link, surface }) => {
  const start = performance.now();
  const painted = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    root.dataset.ready = (performance.now() - start).toFixed(0);
  }));
  const stage = h('div', { class: 'stage' });
  const show = (error) => surface.show(error);
  const react = createRoot(stage, { onUncaughtError: show });
  const replica = new Replica(() => link.send('hello'));
  root.append(stage);
  root.replica = replica;
  link.on('patch', surface.guard((patch) => replica.apply(patch)));
  link.on('state', surface.guard((state) => {
    const first = replica.version < 0;
    if (first && !state.catalogue) return;
    replica.load(state);
    if (!first) return;
    const app = <App model={model} link={link} surface={surface} replica={replica} catalogue={state.catalogue} root={root} onPaint={painted} />;
    react.render(<ReactFlowProvider>{app}</ReactFlowProvider>);
  }));
  link.send('hello', { catalogue: true });
  return () => react.unmount();
});
