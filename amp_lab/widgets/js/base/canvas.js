import { h } from './dom.js';

/** A canvas that fills its box at the screen's resolution; `draw(context, width, height)` is called after ask() and after a resize. */
export class Canvas {
  constructor(className, draw, label = '', resized = () => {}) {
    this.element = h('canvas', { class: className, role: 'img', 'aria-label': label });
    this.context = this.element.getContext('2d');
    this.draw = draw;
    this.resized = resized;
    this.width = 0;
    this.height = 0;
    this.pending = 0;
    this.observer = new ResizeObserver(() => this.#fit());
    this.observer.observe(this.element);
  }

  /** Draw in the next animation frame, once for any number of calls. */
  ask() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.now();
    });
  }

  now() {
    if (!this.width || !this.height) return;
    const scale = devicePixelRatio || 1;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
    this.draw(this.context, this.width, this.height);
  }

  close() {
    cancelAnimationFrame(this.pending);
    this.observer.disconnect();
  }

  #fit() {
    const { clientWidth, clientHeight } = this.element;
    const scale = devicePixelRatio || 1;
    this.width = clientWidth;
    this.height = clientHeight;
    this.element.width = Math.round(clientWidth * scale);
    this.element.height = Math.round(clientHeight * scale);
    this.now();
    if (clientWidth && clientHeight) this.resized();
  }
}
