const PATHS = {
  panel: 'M3 4h14v12H3zM8 4v12',
  undo: 'M7 5 3.5 8.5 7 12M4 8.5h8a4 4 0 0 1 0 8H9',
  redo: 'm13 5 3.5 3.5L13 12M16 8.5H8a4 4 0 0 0 0 8h3',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  paste: 'M7 4H5v13h10V4h-2M7 3h6v3H7zM8 10h4M8 13h4',
  remove: 'M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11M9 9v5M11 9v5',
  arrange: 'M3 4h4v4H3zM3 12h4v4H3zM13 8h4v4h-4zM7 6h3v8H7M10 10h3',
  fit: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
  save: 'M4 4h9l3 3v9H4zM7 4v4h5V4M7 16v-5h6v5',
  open: 'M3 16V5h5l2 2h6v2M3 16l3-7h12l-3 7z',
  export: 'M10 3v9M6.5 8.5 10 12l3.5-3.5M4 13v4h12v-4',
  code: 'm7 6-4 4 4 4M13 6l4 4-4 4M11.5 4l-3 12',
};

export function Icon({ name }) {
  return <svg className="glyph" viewBox="0 0 20 20" aria-hidden="true"><path d={PATHS[name]} /></svg>;
}
