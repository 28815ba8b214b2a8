// @ts-check
/**
 * Sends the newest value only: while one is on its way the next ones replace each other.
 * @template T
 */
export class Latest {
  /** @param {(value: T) => unknown} send */
  constructor(send) {
    this.send = send;
    this.busy = false;
    this.waiting = /** @type {T | undefined} */ (undefined);
  }

  /** @param {T} value */
  async push(value) {
    this.waiting = value;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting !== undefined) {
        const next = this.waiting;
        this.waiting = undefined;
        await this.send(next);
      }
    } finally {
      this.busy = false;
    }
  }
}
