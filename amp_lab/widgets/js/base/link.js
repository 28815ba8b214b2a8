import { unreachable, watchKernel } from './kernel.js';

/**
 * Messages between one view and its model: `tell` one way, `ask` for an answer, `on` for what comes by itself, `onLost`
 * for a kernel that no longer takes them. Once it is lost for good nothing is sent any more.
 */
export class Link {
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
    this.unwatch = watchKernel(model, (loss) => this.#changed(loss));
  }

  on(kind, handler) {
    this.handlers.set(kind, handler);
    return this;
  }

  /** Call `handler(loss)`, see watchKernel, when the kernel is lost, and with null when it is back. */
  onLost(handler) {
    this.losses.add(handler);
    return this;
  }

  tell(kind, content = {}) {
    if (this.lost && !this.lost.passes) return;
    try {
      this.model.send({ kind, ...content });
    } catch (error) { // a comm that its kernel has let go of
      this.#set({ ...unreachable, detail: error.message });
    }
  }

  /** Resolves with {message, buffers}; rejects with an Error that has node, port and stack of the failure. */
  ask(kind, content = {}) {
    const id = `${this.name}:${(this.count += 1)}`;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.tell(kind, { ...content, id });
    });
  }

  close() {
    this.unwatch();
    this.model.off('msg:custom', this.receive);
    this.handlers.clear();
    this.waiting.clear();
    this.losses.clear();
  }

  /** A kernel that is connected again may be another one: only its answer says that it knows this widget. */
  #changed(loss) {
    if (this.lost && !this.lost.passes) {
      if (this.lost.kind === 'restarted' && loss?.kind === 'died') this.#set(loss);
    } else if (loss) this.#set(loss);
    else if (this.lost) this.ask('alive').then(() => this.lost?.passes && this.#set(null));
  }

  #set(loss) {
    this.lost = loss;
    for (const handler of this.losses) handler(loss);
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
