// @ts-check
const FIRST_S = 0.09;
const TOTAL_S = 0.119;
const LEAST_S = 0.06;
const STEADY_S = 0.005;
const MOST_S = 0.4;
const SPARE_S = 0.012;
const STEPS = 10;
const QUIET_S = 0.4;
const DOWN_S = 0.002;

/**
 * How many seconds of sound to keep in the ring: enough for a total latency of 120 ms to the ear, since a shorter one
 * cannot be felt. After an underrun the amount is raised at once; it then follows the highest use within one second of
 * the last ten, plus a reserve.
 */
export class Buffer {
  /** @param {number} sampleRate in Hz */
  constructor(sampleRate) {
    this.rate = sampleRate;
    this.target = this.least = FIRST_S;
    this.worst = /** @type {number[]} */ ([]);
    this.second = -1;
    this.quiet = 0;
    this.underruns = 0;
  }

  get frames() {
    return Math.round(this.target * this.rate);
  }

  /**
   * Process a report of the ring (lowest fill, underruns so far) at time `now`, with the browser's output latency, both
   * in seconds; returns whether `frames` changed.
   * @param {{ low: number, underruns: number, flowing: boolean }} report
   * @param {number} now in seconds
   * @param {number} output in seconds
   */
  note({ low, underruns, flowing }, now, output) {
    const before = this.frames;
    const least = Math.max(LEAST_S, TOTAL_S - output);
    if (Math.abs(least - this.least) > STEADY_S) this.least = least;
    if (underruns > this.underruns) {
      this.underruns = underruns;
      this.#raise(1.5 * this.target, now);
    } else if (!this.underruns) {
      this.target = this.least;
    } else if (flowing && now >= this.quiet) {
      const used = this.target - low / this.rate;
      if (Math.floor(now) !== this.second) {
        this.second = Math.floor(now);
        this.worst = [used, ...this.worst].slice(0, STEPS);
      }
      this.worst[0] = Math.max(this.worst[0], used);
      const wanted = Math.max(this.least, Math.max(...this.worst) + SPARE_S);
      if (wanted > this.target) this.#raise(wanted, now);
      else if (this.worst.length === STEPS) this.target = Math.max(wanted, this.target - DOWN_S);
    }
    return this.frames !== before;
  }

  /**
   * Raise the amount at once; until the ring has it, its level does not show what is needed.
   * @param {number} seconds
   * @param {number} now
   */
  #raise(seconds, now) {
    this.target = Math.min(seconds, MOST_S);
    this.quiet = now + QUIET_S;
  }
}
