/** Messages between one view and its model: `tell` one way, `ask` for an answer, `on` for what comes by itself. */
export class Link {
  constructor(model) {
    this.model = model;
    this.handlers = new Map();
    this.waiting = new Map();
    this.count = 0;
    this.name = Math.random().toString(36).slice(2);
    this.receive = (message, buffers) => this.#receive(message, buffers);
    model.on('msg:custom', this.receive);
  }

  on(kind, handler) {
    this.handlers.set(kind, handler);
    return this;
  }

  tell(kind, content = {}) {
    this.model.send({ kind, ...content });
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
    this.model.off('msg:custom', this.receive);
    this.handlers.clear();
    this.waiting.clear();
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
