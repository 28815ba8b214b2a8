/** Control+Z and Control+Shift+Z (or Y) undo and redo edits of the graph, unless somebody is typing. */
export function undoKeys(root, link) {
  root.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || !['z', 'y'].includes(key)) return;
    if (event.target.matches('input:not([type=range], [type=checkbox]), textarea')) return;
    event.preventDefault();
    link.tell(key === 'y' || event.shiftKey ? 'redo' : 'undo');
  });
}
