// @ts-check
/**
 * Sends only the newest value: while one is being sent, a new one replaces the one that is queued.
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
