// @ts-check
const KEPT = 64;

/** @typedef {import('../types').Tile} Tile */

/** Extremes that were requested; the newest are kept, so that a zoom can be drawn at once. */
export class Tiles {
  constructor() {
    this.tiles = /** @type {Tile[]} */ ([]);
  }

  clear() {
    this.tiles = [];
  }

  /** @param {Tile} tile */
  add(tile) {
    this.tiles.push(tile);
    const whole = this.tiles.reduce((best, one) => (best && best.last - best.first >= one.last - one.first ? best : one), /** @type {Tile | null} */ (null));
    while (this.tiles.length > KEPT) {
      const index = this.tiles.findIndex((one) => one !== whole);
      this.tiles.splice(index, 1);
    }
  }

  /**
   * The finest tile that covers a span of a signal; otherwise the one that covers most of it.
   * @param {string} name
   * @param {number} first
   * @param {number} last
   */
  find(name, first, last) {
    let best = /** @type {Tile | null} */ (null);
    let score = Infinity;
    for (const tile of this.tiles) {
      if (!(name in tile.pairs)) continue;
      const missing = Math.max(0, tile.first - first) + Math.max(0, last - tile.last);
      const cost = missing * 1e6 + (tile.last - tile.first) / tile.columns;
      if (cost < score) [best, score] = [tile, cost];
    }
    return best;
  }

  /**
   * @param {string[]} names
   * @param {number} first
   * @param {number} last
   * @param {number} columns
   */
  has(names, first, last, columns) {
    return this.tiles.some((tile) => tile.first === first && tile.last === last && tile.columns >= Math.min(columns, last - first)
      && names.every((name) => name in tile.pairs));
  }
}
