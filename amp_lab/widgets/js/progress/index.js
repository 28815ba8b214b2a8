/**
 * A line at the bottom of the page during a long render. It is part of the page and of no output, so the notebook does
 * not store it: the model is never displayed, its script runs when the kernel opens it, and closing it removes the line.
 */
import { watchKernel } from '../base/kernel.js';

const STYLE = `position: fixed; right: 16px; bottom: 32px; z-index: 1000; display: flex; gap: 10px; align-items: center;
  padding: 8px 12px; border-radius: 6px; border: 1px solid var(--jp-border-color1, #888); font: 13px/1.4 system-ui, sans-serif;
  color: var(--jp-ui-font-color1, #222); background: var(--jp-layout-color1, #fff); box-shadow: 0 2px 8px #0004;`;

function initialize({ model }) {
  const line = document.createElement('div');
  const words = document.createElement('span');
  const bar = document.createElement('progress');
  line.className = 'amp-progress';
  line.style.cssText = STYLE;
  bar.max = 1;
  bar.style.cssText = 'width: 160px; accent-color: var(--jp-brand-color1, #1f6fb2);';
  const draw = () => {
    bar.value = model.get('done');
    words.textContent = `Rendering ${model.get('name')}: ${Math.floor(100 * bar.value)} %. Interrupt the kernel to stop it.`;
    bar.setAttribute('aria-label', words.textContent);
  };
  const stopWatching = watchKernel(model, (loss) => loss && remove());
  const remove = () => {
    stopWatching();
    model.off('change:done', draw);
    line.remove();
  };
  model.on('change:done', draw);
  draw();
  line.append(words, bar);
  document.body.append(line);
  return remove;
}

export default { initialize };
