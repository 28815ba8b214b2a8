// @ts-check
/** @typedef {import('../types').GraphDocument} GraphDocument */

/** The view's copy of the graph: a document that patches from the journal update from version to version. */
export class Replica {
  /** @param {() => void} resync ask Python for the whole document */
  constructor(resync) {
    this.resync = resync;
    this.version = -1;
    this.document = /** @type {GraphDocument} */ ({ nodes: {}, edges: {}, modulations: {}, places: {}, folds: {} });
    this.undo = 0;
    this.redo = 0;
    this.listeners = /** @type {Set<() => void>} */ (new Set());
  }

  subscribe = (/** @type {() => void} */ listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What React compares to decide whether to draw again. */
  snapshot = () => this.document;

  /** @param {{ version: number, undo: number, redo: number, document: GraphDocument }} state */
  load(state) {
    this.version = state.version;
    this.undo = state.undo;
    this.redo = state.redo;
    this.document = state.document;
    this.#changed();
  }

  /** @param {import('../types').Patch} patch */
  apply(patch) {
    if (this.version < 0 || patch.version <= this.version) return;
    if (patch.base !== this.version) {
      this.resync();
      return;
    }
    const old = this.document;
    const places = { ...old.places };
    for (const [from, to] of Object.entries(patch.renamed)) {
      places[to] = old.places[from];
    }
    this.document = {
      ...old,
      ...patch.attributes,
      nodes: merged(old.nodes, patch.nodes),
      edges: merged(old.edges, patch.edges),
      modulations: merged(old.modulations, patch.modulations),
      places: merged(places, patch.places),
      folds: patch.folds ?? old.folds,
    };
    this.version = patch.version;
    this.undo = patch.undo;
    this.redo = patch.redo;
    this.#changed();
  }

  #changed() {
    for (const listener of this.listeners) listener();
  }
}

/**
 * @template T
 * @param {Record<string, T>} table
 * @param {Record<string, T | null>} changes
 */
function merged(table, changes) {
  if (!Object.keys(changes).length) return table;
  const result = { ...table };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key];
    else result[key] = value;
  }
  return result;
}
