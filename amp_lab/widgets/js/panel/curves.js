import { Canvas } from '../base/canvas.js';
import { h } from '../base/dom.js';
import { number } from '../base/format.js';
import { withModifier } from '../base/input.js';
import { colours } from '../base/theme.js';

const HIT = 9;
const PAD = { left: 52, right: 12, top: 12, bottom: 22 };

/** Interpolation between two points as in semantics.md, only to draw what the runtime computes. */
function between(kind, t, a, b) {
  if (kind === 'hold') return a;
  if (kind === 'smooth') return a + (b - a) * t * t * (3 - 2 * t);
  if (kind === 'exponential' && a * b > 0) return a * (b / a) ** t;
  return a + (b - a) * t;
}

/** Editor of curves: drag points, double-click to add or remove one, arrow keys to nudge it. */
export class Curves {
  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
    this.controls = undefined;
    this.curves = {};
    this.name = null;
    this.held = null;
    this.chosen = -1;
    this.seconds = 1;
    this.log = false;
    this.canvas = new Canvas('curve', (context, width, height) => this.#draw(context, width, height), 'Curve');
    this.canvas.element.tabIndex = 0;
    this.select = h('select', { 'aria-label': 'Curve', onchange: () => this.open(this.select.value) });
    this.kind = h('select', { 'aria-label': 'Interpolation', onchange: () => this.#send({ interpolation: this.kind.value }) });
    this.scale = h('button', { text: 'lin', title: 'Linear or logarithmic values', onclick: () => this.#toggleLog() });
    this.readout = h('output', { class: 'readout' });
    this.element = h('section', { class: 'curves', 'aria-label': 'Curves' },
      h('div', { class: 'bar' }, h('b', { text: 'Curves' }), this.select, this.kind, this.scale, this.readout), this.canvas.element);
    this.#listen();
  }

  /** Offer these kinds of interpolation, named as in the C headers. */
  offer(kinds) {
    this.kind.replaceChildren(...kinds.map((kind) => h('option', { text: kind })));
  }

  show(controls, seconds) {
    if (controls === this.controls && seconds === this.seconds) return;
    this.controls = controls;
    this.curves = controls?.curves ?? {};
    this.seconds = seconds;
    const names = Object.keys(this.curves);
    if (!names.includes(this.name)) this.name = names[0] ?? null;
    if (names.join() !== [...this.select.options].map((option) => option.value).join()) {
      this.select.replaceChildren(...names.map((name) => h('option', { text: name, value: name })));
    }
    this.element.hidden = !names.length;
    this.#refresh();
  }

  open(name) {
    this.name = name;
    this.chosen = -1;
    this.log = false;
    this.#refresh();
    this.element.scrollIntoView({ block: 'nearest' });
  }

  #refresh() {
    const curve = this.curves[this.name];
    if (!curve) return;
    this.select.value = this.name;
    this.kind.value = curve.interpolation;
    const values = curve.points.map((point) => point[1]);
    const positive = Math.min(...values) > 0;
    this.scale.disabled = !positive;
    this.log = positive && this.log;
    this.scale.textContent = this.log ? 'log' : 'lin';
    const [low, high] = this.range ?? [Infinity, -Infinity];
    const fits = this.spanned === this.name && values.every((value) => value >= low && value <= high);
    if (!this.held && !fits) this.#span(values);
    this.canvas.ask();
  }

  #span(values) {
    const low = Math.min(...values);
    const high = Math.max(...values);
    this.spanned = this.name;
    const width = high - low || Math.abs(high) || 1;
    if (this.log) this.range = [low / 1.15, high * 1.15];
    else this.range = [low >= 0 && low < width / 2 ? 0 : low - width * 0.08, high + width * 0.08];
  }

  #toggleLog() {
    this.log = !this.log;
    this.spanned = null;
    this.#refresh();
  }

  #frame() {
    const { width, height } = this.canvas;
    const [low, high] = this.range;
    const points = this.curves[this.name].points;
    const end = Math.max(this.seconds, points.at(-1)[0], 1e-3);
    const w = width - PAD.left - PAD.right;
    const tall = height - PAD.top - PAD.bottom;
    const part = (v) => (this.log ? Math.log(Math.max(v, 1e-12) / low) / Math.log(high / low) : (v - low) / (high - low));
    return {
      end,
      x: (t) => PAD.left + (t / end) * w,
      y: (v) => PAD.top + (1 - part(v)) * tall,
      t: (x) => Math.min(Math.max(((x - PAD.left) / w) * end, 0), end),
      v: (y) => {
        const p = 1 - (y - PAD.top) / tall;
        return this.log ? low * (high / low) ** p : low + p * (high - low);
      },
    };
  }

  #draw(context, width, height) {
    const curve = this.curves[this.name];
    if (!curve) return;
    const ink = colours(this.root, 'accent', 'grid', 'muted', 'raised', 'warm', 'soft');
    const frame = this.#frame();
    context.font = '10px system-ui, sans-serif';
    context.fillStyle = ink.soft;
    context.fillRect(frame.x(Math.min(this.seconds, frame.end)), PAD.top, frame.x(frame.end) - frame.x(Math.min(this.seconds, frame.end)), height - PAD.top - PAD.bottom);
    for (let i = 0; i <= 4; i += 1) {
      const y = PAD.top + ((height - PAD.top - PAD.bottom) * i) / 4;
      const t = (frame.end * i) / 4;
      context.fillStyle = ink.grid;
      context.fillRect(PAD.left, Math.round(y), width - PAD.left - PAD.right, 1);
      context.fillStyle = ink.muted;
      context.textAlign = 'right';
      context.fillText(number(Number(frame.v(y).toPrecision(3))), PAD.left - 6, y + 3);
      context.textAlign = i === 4 ? 'right' : 'center';
      context.fillText(`${number(Number(t.toPrecision(3)))} s`, frame.x(t), height - 7);
    }
    this.#line(context, curve, frame, ink.accent);
    curve.points.forEach(([t, v], index) => {
      context.beginPath();
      context.arc(frame.x(t), frame.y(v), index === this.chosen ? 5.5 : 3.5, 0, 7);
      context.fillStyle = index === this.chosen ? ink.warm : ink.raised;
      context.fill();
      context.strokeStyle = index === this.chosen ? ink.warm : ink.accent;
      context.stroke();
    });
  }

  #line(context, { points, interpolation }, frame, colour) {
    context.beginPath();
    context.moveTo(frame.x(0), frame.y(points[0][1]));
    points.forEach(([t, v], index) => {
      const before = points[index - 1];
      if (before && t > before[0]) {
        const steps = interpolation === 'hold' || interpolation === 'linear' ? 1 : 12;
        for (let i = 1; i <= steps; i += 1) {
          const part = i / steps;
          context.lineTo(frame.x(before[0] + (t - before[0]) * part), frame.y(between(interpolation, part, before[1], v)));
        }
      }
      context.lineTo(frame.x(t), frame.y(v));
    });
    context.lineTo(frame.x(frame.end), frame.y(points.at(-1)[1]));
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.stroke();
    context.lineWidth = 1;
  }

  #at(event) {
    const box = this.canvas.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #nearest(x, y) {
    const frame = this.#frame();
    const distances = this.curves[this.name].points.map(([t, v]) => Math.hypot(frame.x(t) - x, frame.y(v) - y));
    const index = distances.indexOf(Math.min(...distances));
    return distances[index] <= HIT ? index : -1;
  }

  #listen() {
    const canvas = this.canvas.element;
    canvas.addEventListener('pointerdown', (event) => {
      if (!this.curves[this.name] || event.button) return;
      this.chosen = this.#nearest(...this.#at(event));
      if (this.chosen >= 0) {
        this.held = `curve:${this.name}:${performance.now()}`;
        canvas.setPointerCapture(event.pointerId);
      }
      this.#report();
      this.canvas.ask();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!this.held) return;
      const frame = this.#frame();
      const [x, y] = this.#at(event);
      this.#put(this.chosen, frame.t(x), frame.v(y));
    });
    const release = () => {
      if (!this.held) return;
      this.held = null;
      this.#refresh();
    };
    canvas.addEventListener('pointerup', release);
    canvas.addEventListener('pointercancel', release);
    canvas.addEventListener('dblclick', (event) => this.#double(...this.#at(event)));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  #double(x, y) {
    const curve = this.curves[this.name];
    if (!curve) return;
    const index = this.#nearest(x, y);
    const frame = this.#frame();
    const points = curve.points.map((point) => [...point]);
    if (index >= 0 && points.length > 1) points.splice(index, 1);
    else points.push([frame.t(x), frame.v(y)]);
    this.chosen = -1;
    this.#send({ points: points.sort((a, b) => a[0] - b[0]) });
  }

  #key(event) {
    const point = this.curves[this.name]?.points[this.chosen];
    if (!point || withModifier(event)) return;
    const [low, high] = this.range;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === 'Delete' || event.key === 'Backspace') {
      const points = this.curves[this.name].points.filter((_, index) => index !== this.chosen);
      this.chosen = -1;
      if (points.length) this.#send({ points });
    } else if (steps) {
      event.preventDefault();
      this.#put(this.chosen, point[0] + steps[0] * this.seconds * 0.01, point[1] + steps[1] * (high - low) * 0.01);
    }
  }

  /** Move a point, limited by its neighbours in time. */
  #put(index, t, v) {
    const points = this.curves[this.name].points.map((point) => [...point]);
    const from = points[index - 1]?.[0] ?? 0;
    const to = points[index + 1]?.[0] ?? Infinity;
    points[index] = [Number(Math.min(Math.max(t, from), to).toFixed(4)), Number(v.toPrecision(5))];
    this.#send({ points });
    this.#report();
  }

  #report() {
    const point = this.curves[this.name]?.points[this.chosen];
    this.readout.textContent = point ? `${number(point[0])} s: ${number(point[1])}` : '';
  }

  #send(change) {
    const curve = { ...this.curves[this.name], ...change };
    this.curves = { ...this.curves, [this.name]: curve };
    this.controls = undefined; // after a refused edit the earlier curves are shown again
    this.#refresh();
    this.desk.curves({ [this.name]: curve }, this.held);
  }
}
