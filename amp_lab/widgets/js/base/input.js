// Which keys, mouse buttons, wheel and touch events belong to the widget and which to its notebook: see docs/design/widgets.md.
import { openMenu } from './menu.js';

const TEXT = 'textarea, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=button])';
const EDITING = /^(Arrow.+|Page.+|Home|End|Insert|Backspace|Delete)$/;
const edited = new WeakSet();

/** Whether an element takes typed text. */
export const takesText = (element) => element.matches(TEXT);

/** Whether an element has typed text that was not sent yet: Control+Z then edits that text. */
export const isEdited = (element) => edited.has(element);

/** Whether a key is pressed with Control, Meta or Alt. */
export const withModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

/** Whether a context menu was opened at a point, not by a key. */
export const isPointed = (event) => event.type === 'contextmenu';

/**
 * Whether a key event stops at the widget. Keys without modifier stop, because a notebook acts on them ("a" inserts a
 * cell, "dd" deletes one), and so do keys that edit text or undo. Other keys with Control, Meta or Alt are passed to
 * the page, except the letters in `claims`.
 */
function stays(event, element, claims) {
  const text = takesText(element);
  const { key = '' } = event; // undefined while the browser fills a form
  if (event.isComposing || event.getModifierState?.('AltGraph') || EDITING.test(key)) return true;
  if (!withModifier(event)) return key.length === 1 || (key === 'Enter' && (text || !event.shiftKey)) || (key === 'Escape' && text);
  if (event.altKey) return false;
  const letter = key.toLowerCase();
  return letter === 'z' || letter === 'y' || (!event.shiftKey && (claims.includes(letter) || (text && 'acvx'.includes(letter))));
}

/**
 * Divide input between a widget's root and the page; returns a function that stops it. A view sets `root.claims`, the
 * letters that it uses with Control, and `root.menu(event)`, which returns the entries of its context menu.
 */
export function divideInput(root) {
  root.claims = '';
  const nested = () => root.parentElement?.closest('.amp');
  const mine = (event) => event.target.closest('.amp') === root;

  // some versions of JupyterLab receive keys before the widget: the attribute tells JupyterLab which keys it must ignore
  const mark = (event) => {
    const [element] = event.composedPath();
    if (element instanceof Element && root.contains(element)) root.toggleAttribute('data-lm-suppress-shortcuts', stays(event, element, root.claims));
  };
  window.addEventListener('keydown', mark, true);
  root.addEventListener('keydown', (event) => {
    if (mine(event)) {
      if (event.key === 'Enter' || event.key === 'Escape') edited.delete(event.target);
      if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && !takesText(event.target)) menu(event);
    }
    const claims = event.target.closest('.amp')?.claims ?? ''; // a dialog may close on this key
    if (!nested() && (event.defaultPrevented || stays(event, event.target, claims))) event.stopPropagation();
  });
  root.addEventListener('input', ({ target }) => takesText(target) && edited.add(target));
  // after a lone Control key JupyterLab listens at the field to run its own undo
  root.addEventListener('beforeinput', (event) => event.stopPropagation(), true);
  for (const kind of ['change', 'focusout']) root.addEventListener(kind, ({ target }) => edited.delete(target));

  // Shift would select cells; other buttons would move the focus to the cell
  root.addEventListener('mousedown', (event) => {
    if (event.shiftKey || event.button) event.stopPropagation();
  });
  const menu = (event) => {
    const entries = root.dataset.lost ? null : root.menu?.(event); // without a kernel no entry would work
    if (!entries) return;
    event.preventDefault();
    const box = event.target.getBoundingClientRect();
    const beside = (start, length) => start + Math.min(24, length / 2);
    openMenu(root, isPointed(event) ? [event.clientX, event.clientY] : [beside(box.left, box.width), beside(box.top, box.height)], entries);
  };
  root.addEventListener('contextmenu', (event) => {
    if (event.target.closest('.amp-menu')) event.preventDefault();
    else if (mine(event) && !(event.shiftKey && event.button === 2) && !takesText(event.target)) menu(event);
    event.stopPropagation();
  });

  // without focus in the widget, the wheel scrolls the page
  const pass = (event) => {
    if (mine(event) && !event.ctrlKey && !event.metaKey && !root.matches(':focus-within')) event.stopPropagation();
  };
  for (const kind of ['wheel', 'touchstart']) root.addEventListener(kind, pass, { capture: true, passive: true });

  const stopKeeping = keepFocus(root, mine);
  return () => {
    window.removeEventListener('keydown', mark, true);
    stopKeeping();
  };
}

/** When the focused element is removed, disabled or hidden, move the focus to the root, so that the widget keeps receiving keys. */
function keepFocus(root, mine) {
  let held = null;
  const usable = () => held.isConnected && !held.disabled && !held.closest('[hidden], [inert]');
  root.addEventListener('focusin', (event) => { held = mine(event) ? event.target : null; });
  root.addEventListener('focusout', ({ target, relatedTarget }) => setTimeout(() => {
    if (held === target && (relatedTarget || (usable() && document.hasFocus()))) held = null;
  }));
  const observer = new MutationObserver(() => {
    if (!held || usable()) return;
    const active = root.getRootNode().activeElement;
    if (!active || active === document.body || active === held) root.focus({ preventScroll: true });
  });
  observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled', 'hidden', 'inert'] });
  return () => observer.disconnect();
}
