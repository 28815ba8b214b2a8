// @ts-check
import { loss, watchKernel } from './kernel.js';

/** @typedef {import('../types').Handler} Handler */
/** @typedef {import('../types').Loss} Loss */
/** @typedef {import('../types').Message} Message */

const ANSWER_MS = 5000;

/**
 * Messages between one view and its model: `send` without an answer, `ask` with an answer, `on` for messages from the
 * model, `onLost` when the kernel no longer accepts messages. After a permanent loss nothing is sent.
 */
export class KernelLink {
  /** @param {import('../types').Model} model */
  constructor(model) {
    this.model = model;
    this.handlers = /** @type {Map<string, Handler>} */ (new Map());
    this.waiting = /** @type {Map<string | undefined, { resolve: Function, reject: Function }>} */ (new Map());
    this.losses = /** @type {Set<(lost: Loss | null) => void>} */ (new Set());
    this.lost = /** @type {Loss | null} */ (null);
    this.count = 0;
    this.name = Math.random().toString(36).slice(2);
    this.receive = (/** @type {Message} */ message, /** @type {DataView[]} */ buffers) => this.#receive(message, buffers);
    model.on('msg:custom', this.receive);
    this.unwatch = watchKernel(model, (lost) => this.#changed(lost));
    this.patience = setTimeout(() => this.lost ?? this.#set(loss('unanswered')), ANSWER_MS);
    this.#greet();
  }

  /**
   * @param {string} kind
   * @param {Handler} handler
   */
  on(kind, handler) {
    this.handlers.set(kind, handler);
    return this;
  }

  /**
   * Call `handler(lost)`, see watchKernel, when the kernel is lost, and with null when it is back.
   * @param {(lost: Loss | null) => void} handler
   */
  onLost(handler) {
    this.losses.add(handler);
    return this;
  }

  /** @param {string} kind */
  send(kind, content = {}) {
    if (this.lost && !this.lost.passes) return;
    try {
      this.model.send({ kind, ...content });
    } catch (error) { // the kernel has closed the comm
      this.#set(loss('unreachable', /** @type {Error} */ (error).message));
    }
  }

  /**
   * Send a request. Resolves with {message, buffers}; rejects with an Error that has node, port and stack of the failure.
   * @param {string} kind
   * @returns {Promise<{ message: Message, buffers: DataView[] }>}
   */
  ask(kind, content = {}) {
    const id = `${this.name}:${(this.count += 1)}`;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send(kind, { ...content, id });
    });
  }

  close() {
    clearTimeout(this.patience);
    this.unwatch();
    this.model.off('msg:custom', this.receive);
    this.handlers.clear();
    this.waiting.clear();
    this.losses.clear();
  }

  /** Check that the widget answers: the kernel may be another one than before. */
  #greet() {
    this.ask('alive').then(() => {
      clearTimeout(this.patience);
      if (this.lost?.passes) this.#set(null);
    });
  }

  /** @param {Loss | null} lost */
  #changed(lost) {
    if (this.lost && !this.lost.passes) {
      if (this.lost.kind === 'restarted' && lost?.kind === 'died') this.#set(lost);
    } else if (lost) this.#set(lost);
    else if (this.lost) this.#greet();
  }

  /** @param {Loss | null} lost */
  #set(lost) {
    this.lost = lost;
    for (const handler of this.losses) handler(lost);
  }

  /**
   * @param {Message} message
   * @param {DataView[]} buffers
   */
  #receive(message, buffers) {
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === 'failed') {
      if (waiting || !message.id) {
        const error = Object.assign(new Error(message.message), message, { from: 'python' });
        if (waiting) waiting.reject(error);
        else this.handlers.get('failed')?.(error);
      }
      return;
    }
    if (waiting) waiting.resolve({ message, buffers });
    this.handlers.get(message.kind)?.(message, buffers);
  }
}
