import { isEdited } from './input.js';

/** Control+Z and Control+Shift+Z (or Y) undo and redo edits of the graph, unless the user is typing. */
export function undoKeys(root, link) {
  root.addEventListener('keydown', (event) => {
    const key = event.key?.toLowerCase();
    if (event.defaultPrevented || event.altKey || !(event.ctrlKey || event.metaKey) || !['z', 'y'].includes(key)) return;
    if (isEdited(event.target)) return;
    event.preventDefault();
    link.send(key === 'y' || event.shiftKey ? 'redo' : 'undo');
  });
}

/** Entries for undo and redo in a context menu. */
export const undoEntries = (link) => [
  { text: 'Undo', keys: 'Ctrl+Z', run: () => link.send('undo') },
  { text: 'Redo', keys: 'Ctrl+Shift+Z', run: () => link.send('redo') },
];
