import { h } from '../base/dom.js';
import { withModifier } from '../base/input.js';

const STEP = 0.02;

/** A bar between two panes, moved by dragging or with the arrow keys; calls back with the first pane's share. */
export function splitter(container, { vertical, share, low = 0.15, high = 0.85, moved }) {
  let part = share;
  const bar = h('div', { class: vertical ? 'split vertical' : 'split', role: 'separator', tabindex: 0, 'aria-orientation': vertical ? 'vertical' : 'horizontal', 'aria-label': 'Resize' });
  const put = (next) => {
    part = Math.min(Math.max(next, low), high);
    bar.setAttribute('aria-valuenow', Math.round(100 * part));
    moved(part);
  };
  bar.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
  });
  bar.addEventListener('pointermove', (event) => {
    if (!bar.hasPointerCapture(event.pointerId)) return;
    const box = container.getBoundingClientRect();
    put(vertical ? (event.clientX - box.left) / box.width : (event.clientY - box.top) / box.height);
  });
  bar.addEventListener('keydown', (event) => {
    const direction = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!direction || withModifier(event)) return;
    event.preventDefault();
    put(part + direction * STEP);
  });
  put(part);
  return bar;
}
