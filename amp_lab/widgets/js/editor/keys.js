import { useEffect, useRef } from 'react';
import { isEdited, isPointed, takesText, withModifier } from '../base/input.js';

const WITH_CONTROL = { z: 'undo', y: 'redo', c: 'copy', x: 'cut', v: 'paste', d: 'duplicate', a: 'all' };
const ALONE = { Delete: 'remove', Backspace: 'remove', f: 'fit' };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 5;
const LONG_STEP = 20;

/** Keys of the editor, unless the user is typing. Consecutive arrow keys are one gesture. */
export function useKeys(root, actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    root.claims = 'cxvda';
    let gesture = null;
    const ended = () => { gesture = null; };
    const pressed = (event) => {
      const { key = '', target, shiftKey } = event;
      if (event.defaultPrevented || event.altKey || target.closest('[role=dialog], [role=menu]')) return;
      const control = event.ctrlKey || event.metaKey;
      const letter = key.length === 1 ? key.toLowerCase() : key;
      const action = control ? (letter === 'z' && shiftKey ? 'redo' : WITH_CONTROL[letter]) : ALONE[letter];
      const undoing = action === 'undo' || action === 'redo';
      if (!action || (control && shiftKey && !undoing)) return;
      if (undoing ? isEdited(target) : takesText(target) || target.matches('select')) return;
      if ((action === 'copy' || action === 'cut') && !getSelection().isCollapsed && root.contains(getSelection().anchorNode)) return;
      event.preventDefault();
      latest.current[action]();
    };
    // before React Flow, which would move the boxes on the screen only
    const arrows = (event) => {
      const by = ARROWS[event.key];
      if (!by) {
        if (!['Shift', 'Control', 'Meta', 'Alt'].includes(event.key)) ended();
        return;
      }
      if (withModifier(event) || (event.target !== root && !event.target.closest('.react-flow')) || event.target.closest('button')) return;
      gesture ??= `arrows:${Math.random()}`;
      const step = event.shiftKey ? LONG_STEP : STEP;
      if (!latest.current.nudge(by[0] * step, by[1] * step, gesture)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    root.addEventListener('keydown', pressed);
    root.addEventListener('keydown', arrows, true);
    root.addEventListener('pointerdown', ended, true);
    return () => {
      root.removeEventListener('keydown', pressed);
      root.removeEventListener('keydown', arrows, true);
      root.removeEventListener('pointerdown', ended, true);
    };
  }, [root]);
}

/** The context menu of the editor: for the clicked boxes or line, otherwise for the canvas. */
export function useMenu(root, actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const entry = (text, action, keys) => ({ text, keys, run: () => latest.current[action]() });
    root.menu = (event) => {
      const at = { clientX: event.clientX, clientY: event.clientY };
      const box = event.target.closest('.react-flow__node')?.dataset.id;
      const line = event.target.closest('.react-flow__edge')?.dataset.id;
      const count = latest.current.point(box, line, event.target.matches('.react-flow__nodesselection-rect'));
      if (line && count) return [entry('Disconnect', 'remove', 'Delete')];
      if (count) {
        return [
          entry('Copy', 'copy', 'Ctrl+C'), entry('Cut', 'cut', 'Ctrl+X'), entry('Duplicate', 'duplicate', 'Ctrl+D'), null,
          ...(count > 1 ? [entry('Fold into one box', 'gather')] : []),
          ...(box?.startsWith('fold:') ? [entry('Unfold', 'unfold')] : []),
          entry('Remove', 'remove', 'Delete'),
        ];
      }
      const here = isPointed(event) && event.target.closest('.react-flow');
      return [
        ...(here ? [{ text: 'Add a node here …', run: () => latest.current.quick(at) }] : []),
        { text: here ? 'Paste here' : 'Paste', keys: 'Ctrl+V', run: () => latest.current.paste(here && at) },
        entry('Select all', 'all', 'Ctrl+A'), null,
        entry('Undo', 'undo', 'Ctrl+Z'), entry('Redo', 'redo', 'Ctrl+Shift+Z'), null,
        entry('Arrange', 'arrange'), entry('Show everything', 'fit', 'F'), entry('Python code', 'code'),
      ];
    };
  }, [root]);
}
