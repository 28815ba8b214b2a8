import './menu.css';
import { h } from './dom.js';

const EDGE = 4;

/**
 * A context menu at a point of the window. Entries are {text, keys, run, disabled}; null is a separator line.
 * Escape or a click outside closes it, and the browser restores the focus.
 */
export function openMenu(root, [x, y], entries) {
  const menu = h('div', { class: 'amp-menu', role: 'menu', popover: 'auto' }, ...entries.map((entry) => (entry
    ? h('button', { role: 'menuitem', tabindex: -1, disabled: entry.disabled, onclick: () => { menu.hidePopover(); entry.run(); } },
      entry.text, h('kbd', { text: entry.keys ?? '' }))
    : h('hr', { role: 'separator' }))));
  menu.addEventListener('toggle', ({ newState }) => newState === 'closed' && menu.remove());
  menu.addEventListener('keydown', (event) => {
    const all = [...menu.querySelectorAll('button:enabled')];
    const now = all.indexOf(root.getRootNode().activeElement);
    const next = { ArrowDown: (now + 1) % all.length, ArrowUp: (now + all.length - 1) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') menu.hidePopover();
    if (event.key === 'Tab' || next !== undefined) event.preventDefault();
    all[next]?.focus();
  });
  root.append(menu);
  menu.showPopover();
  menu.style.left = `${Math.max(EDGE, Math.min(x, innerWidth - menu.offsetWidth - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, Math.min(y, innerHeight - menu.offsetHeight - EDGE))}px`;
  menu.querySelector('button:enabled')?.focus();
}
