import { useEffect, useRef } from 'react';

const WITH_CONTROL = { z: 'undo', y: 'redo', c: 'copy', x: 'cut', v: 'paste', d: 'duplicate', a: 'all' };
const ALONE = { Delete: 'remove', Backspace: 'remove', f: 'fit' };

/** Keys of the editor, as long as nobody is typing. */
export function useKeys(root, actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const heard = (event) => {
      if (event.target.closest('input, textarea, select, pre')) return;
      const control = event.ctrlKey || event.metaKey;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const action = control ? (key === 'z' && event.shiftKey ? 'redo' : WITH_CONTROL[key]) : ALONE[key];
      if (!action) return;
      event.preventDefault();
      latest.current[action]();
    };
    root.addEventListener('keydown', heard);
    return () => root.removeEventListener('keydown', heard);
  }, [root]);
}
