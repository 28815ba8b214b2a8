// Who owns a key, a button of the mouse, the wheel and a finger: the widget or its notebook. docs/design/widgets.md has the table.
import { openMenu } from './menu.js';

const TEXT = 'textarea, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=button])';
const EDITING = /^(Arrow.+|Page.+|Home|End|Insert|Backspace|Delete)$/;
const edited = new WeakSet();

/** Whether an element takes text. */
export const takesText = (element) => element.matches(TEXT);

/** Whether an element holds text that was typed and not sent yet: Control+Z is its own until then. */
export const isEdited = (element) => edited.has(element);

/** Whether a key comes with Control, Meta or Alt. */
export const withModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;

/** Whether a context menu was asked for at a point, not by a key. */
export const isPointed = (event) => event.type === 'contextmenu';

/**
 * Whether a key stays in the widget. What a notebook takes alone ("a" inserts a cell, "dd" deletes one) stays, and so
 * does what edits text or undoes; everything else with Control, Meta or Alt goes on, but for the letters in `claims`.
 */
function stays(event, element, claims) {
  const text = takesText(element);
  const { key = '' } = event; // none where the browser fills a form
  if (event.isComposing || event.getModifierState?.('AltGraph') || EDITING.test(key)) return true;
  if (!withModifier(event)) return key.length === 1 || (key === 'Enter' && (text || !event.shiftKey)) || (key === 'Escape' && text);
  if (event.altKey) return false;
  const letter = key.toLowerCase();
  return letter === 'z' || letter === 'y' || (!event.shiftKey && (claims.includes(letter) || (text && 'acvx'.includes(letter))));
}

/**
 * Divide input between a widget's root and the page; returns how to stop. A view sets `root.claims`, letters that are
 * its own with Control, and `root.menu(event)`, the entries of its context menu.
 */
export function divideInput(root) {
  root.claims = '';
  const nested = () => root.parentElement?.closest('.amp');
  const mine = (event) => event.target.closest('.amp') === root;

  // JupyterLab of some versions hears keys before the widget does: then the attribute tells it what is not its own
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
    const claims = event.target.closest('.amp')?.claims ?? ''; // a dialog may have closed on this very key
    if (!nested() && (event.defaultPrevented || stays(event, event.target, claims))) event.stopPropagation();
  });
  root.addEventListener('input', ({ target }) => takesText(target) && edited.add(target));
  // from a lone Control on, JupyterLab waits at the field to take its undo
  root.addEventListener('beforeinput', (event) => event.stopPropagation(), true);
  for (const kind of ['change', 'focusout']) root.addEventListener(kind, ({ target }) => edited.delete(target));

  // Shift would select cells; other buttons would take the focus to the cell
  root.addEventListener('mousedown', (event) => {
    if (event.shiftKey || event.button) event.stopPropagation();
  });
  const menu = (event) => {
    const entries = root.dataset.lost ? null : root.menu?.(event); // without a kernel nothing can be done
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

  // the page scrolls over a widget without focus
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

/** When the element that has the focus goes, is disabled or cannot be reached, the root gets it: keys find the widget still. */
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
