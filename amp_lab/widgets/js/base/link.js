import { loss, watchKernel } from './kernel.js';

const ANSWER_MS = 5000;

/**
 * Messages between one view and its model: `send` one way, `ask` for an answer, `on` for what comes by itself, `onLost`
 * for a kernel that no longer takes them. Once it is lost for good nothing is sent any more.
 */
export class KernelLink {
  constructor(model) {
    this.model = model;
    this.handlers = new Map();
    this.waiting = new Map();
    this.losses = new Set();
    this.lost = null;
    this.count = 0;
    this.name = Math.random().toString(36).slice(2);
    this.receive = (message, buffers) => this.#receive(message, buffers);
    model.on('msg:custom', this.receive);
    this.unwatch = watchKernel(model, (lost) => this.#changed(lost));
    this.patience = setTimeout(() => this.lost ?? this.#set(loss('unanswered')), ANSWER_MS);
    this.#greet();
  }

  on(kind, handler) {
    this.handlers.set(kind, handler);
    return this;
  }

  /** Call `handler(lost)`, see watchKernel, when the kernel is lost, and with null when it is back. */
  onLost(handler) {
    this.losses.add(handler);
    return this;
  }

  send(kind, content = {}) {
    if (this.lost && !this.lost.passes) return;
    try {
      this.model.send({ kind, ...content });
    } catch (error) { // a comm that its kernel has closed
      this.#set(loss('unreachable', error.message));
    }
  }

  /** Resolves with {message, buffers}; rejects with an Error that has node, port and stack of the failure. */
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

  /** Only the answer of the widget itself says that it is there: a kernel may be another one than before. */
  #greet() {
    this.ask('alive').then(() => {
      clearTimeout(this.patience);
      if (this.lost?.passes) this.#set(null);
    });
  }

  #changed(lost) {
    if (this.lost && !this.lost.passes) {
      if (this.lost.kind === 'restarted' && lost?.kind === 'died') this.#set(lost);
    } else if (lost) this.#set(lost);
    else if (this.lost) this.#greet();
  }

  #set(lost) {
    this.lost = lost;
    for (const handler of this.losses) handler(lost);
  }

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
