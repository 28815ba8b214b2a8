import { h } from '../base/dom.js';
import { withModifier } from '../base/input.js';

const LOWEST = 48;
const KEYS = 25;
const PAD_STEP = 0.02;
const BLACK = new Set([1, 3, 6, 8, 10]);
const LETTERS = 'awsedftgyhujkolp';
const hertz = (note) => 440 * 2 ** ((note - 69) / 12);

/** On-screen keyboard and pad; while recording, what is played becomes curves of the control history. */
export class Perform {
  constructor(desk) {
    this.desk = desk;
    this.names = [];
    this.tracks = null;
    this.down = new Set();
    this.at = [0.5, 0.5];
    this.record = h('button', { class: 'record', 'aria-pressed': 'false', onclick: () => this.#toggle() }, '● Record');
    this.clock = h('output', { class: 'readout' });
    this.axisX = h('select', { 'aria-label': 'Curve of the pad, left to right' });
    this.axisY = h('select', { 'aria-label': 'Curve of the pad, bottom to top' });
    this.dot = h('i', {});
    this.pad = h('div', { class: 'pad', tabindex: 0, role: 'slider', 'aria-label': 'Pad', 'aria-valuetext': 'centre' }, this.dot);
    this.piano = h('div', { class: 'piano', tabindex: 0, role: 'group', 'aria-label': 'Keyboard, letters A to P play' });
    this.keys = Array.from({ length: KEYS }, (_, index) => this.#key(LOWEST + index));
    this.element = h('section', { class: 'perform', 'aria-label': 'Perform' },
      h('div', { class: 'bar' }, h('b', { text: 'Perform' }), this.record, this.clock,
        h('span', { class: 'gap' }), h('span', { text: 'pad' }), this.axisX, '×', this.axisY),
      h('div', { class: 'instruments' }, this.piano, this.pad));
    this.#listen();
  }

  /** Show the curves that can be played, with the range of their values: {name: [low, high, log]}. */
  show(ranges) {
    this.ranges = ranges;
    const names = Object.keys(ranges);
    this.element.hidden = !names.length;
    if (names.join() === this.names.join()) return;
    this.names = names;
    for (const [index, axis] of [this.axisX, this.axisY].entries()) {
      axis.replaceChildren(h('option', { text: 'off', value: '' }), ...names.map((name) => h('option', { text: name })));
      const wanted = names.filter((name) => !['gate', 'velocity', 'pitch_hz'].includes(name));
      axis.value = wanted[index] ?? '';
    }
  }

  close() {
    clearInterval(this.timer);
  }

  #key(note) {
    const black = BLACK.has(note % 12);
    const key = h('div', { class: black ? 'key black' : 'key', 'data-note': note });
    this.piano.append(key);
    return key;
  }

  #toggle() {
    if (this.tracks) {
      this.#stop();
      return;
    }
    this.tracks = {};
    this.start = performance.now();
    this.record.setAttribute('aria-pressed', 'true');
    this.record.textContent = '■ Stop';
    this.timer = setInterval(() => { this.clock.textContent = `${this.#now().toFixed(1)} s`; }, 100);
  }

  #stop() {
    clearInterval(this.timer);
    const tracks = this.tracks;
    this.tracks = null;
    this.record.setAttribute('aria-pressed', 'false');
    this.record.textContent = '● Record';
    this.clock.textContent = '';
    if (Object.keys(tracks).length) this.desk.curves(tracks, null, this.#now());
  }

  #now() {
    return (performance.now() - this.start) / 1000;
  }

  /** Record a value; a curve's first point is at 0 s, so that it is valid from the start. */
  #note(name, value, interpolation) {
    if (!this.tracks || !this.names.includes(name)) return;
    const track = (this.tracks[name] ??= { interpolation, points: [[0, name === 'gate' ? 0 : value]] });
    track.points.push([Number(this.#now().toFixed(4)), Number(value.toPrecision(6))]);
  }

  #press(note, velocity) {
    if (note < LOWEST || note >= LOWEST + KEYS || this.down.has(note)) return;
    this.down.add(note);
    this.keys[note - LOWEST].classList.add('down');
    this.#note('pitch_hz', hertz(note), 'hold');
    this.#note('velocity', velocity, 'hold');
    if (this.down.size === 1) this.#note('gate', 1, 'hold');
  }

  #release(note) {
    if (!this.down.delete(note)) return;
    this.keys[note - LOWEST].classList.remove('down');
    if (!this.down.size) this.#note('gate', 0, 'hold');
    else this.#note('pitch_hz', hertz([...this.down].at(-1)), 'hold');
  }

  #listen() {
    let held = null;
    const velocity = (event, key) => Math.min(1, 0.35 + 0.65 * (event.offsetY / key.clientHeight));
    this.piano.addEventListener('pointerdown', (event) => {
      const key = event.target.closest('.key');
      if (!key || event.button) return;
      held = Number(key.dataset.note);
      this.#press(held, velocity(event, key));
    });
    this.piano.addEventListener('pointerover', (event) => {
      const key = event.target.closest('.key');
      if (held === null || !key || !event.buttons) return;
      this.#press(Number(key.dataset.note), velocity(event, key));
      this.#release(held);
      held = Number(key.dataset.note);
    });
    const up = () => {
      if (held !== null) this.#release(held);
      held = null;
    };
    this.piano.addEventListener('pointerup', up);
    this.piano.addEventListener('pointerleave', up);
    this.piano.addEventListener('pointercancel', up);
    this.piano.addEventListener('blur', () => [...this.down].forEach((note) => this.#release(note)));
    this.piano.addEventListener('keydown', (event) => {
      const index = LETTERS.indexOf(event.key.toLowerCase());
      if (index >= 0 && !event.repeat && !withModifier(event)) this.#press(LOWEST + 12 + index, 0.8);
    });
    this.piano.addEventListener('keyup', (event) => this.#release(LOWEST + 12 + LETTERS.indexOf(event.key.toLowerCase())));
    this.pad.addEventListener('pointerdown', (event) => {
      if (event.button) return;
      this.pad.setPointerCapture(event.pointerId);
      this.#move(event);
    });
    this.pad.addEventListener('pointermove', (event) => this.pad.hasPointerCapture(event.pointerId) && this.#move(event));
    this.pad.addEventListener('keydown', (event) => this.#step(event));
  }

  #move(event) {
    const box = this.pad.getBoundingClientRect();
    this.#put((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
  }

  #step(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step || withModifier(event)) return;
    event.preventDefault();
    this.#put(this.at[0] + step[0] * PAD_STEP, this.at[1] + step[1] * PAD_STEP);
  }

  /** Move the pad to a place, both axes from 0 to 1. */
  #put(...place) {
    const [x, y] = this.at = place.map((part) => Math.min(Math.max(part, 0), 1));
    this.dot.style.left = `${100 * x}%`;
    this.dot.style.top = `${100 * (1 - y)}%`;
    for (const [axis, part] of [[this.axisX, x], [this.axisY, y]]) {
      const [low, high, log] = this.ranges[axis.value] ?? [0, 1, false];
      this.#note(axis.value, log ? low * (high / low) ** part : low + (high - low) * part, 'linear');
    }
    this.pad.setAttribute('aria-valuetext', `${Math.round(100 * x)} %, ${Math.round(100 * y)} %`);
  }
}
