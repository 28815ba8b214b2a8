import './signals.css';
import { h } from './dom.js';
import { INKS } from './plot.js';

/** Header of a widget that shows signals: which are shown, hold, drop, and further `tools` of the widget. */
export class Signals {
  constructor(model, link, { one = false, tools = [] } = {}) {
    Object.assign(this, { model, link, one });
    this.list = h('div', { class: 'list', role: 'group', 'aria-label': 'Signals' });
    this.menu = h('details', { class: 'menu' }, h('summary', { text: 'Signals' }), this.list);
    this.legend = h('div', { class: 'legend' });
    this.hold = h('button', { title: 'Keep what is shown, to compare it with what comes', onclick: () => this.#toggleHold() }, 'Hold');
    this.readout = h('output', { class: 'readout' });
    this.element = h('div', { class: 'signals-bar' }, this.menu, this.legend, h('span', { class: 'gap' }), this.readout, ...tools, one ? null : this.hold);
    this.show();
  }

  /** The shown entries of `available`, in order, each with a colour: one per source. */
  get shown() {
    const known = new Map(this.model.get('available').map((entry) => [entry.name, entry]));
    const sources = [...new Set(this.model.get('available').map((entry) => entry.source))];
    const found = this.model.get('signals').filter((name) => known.has(name)).map((name) => {
      const entry = known.get(name);
      return { ...entry, colour: INKS[sources.indexOf(entry.source) % INKS.length] };
    });
    return this.one ? found.slice(0, 1) : found;
  }

  /** Version of the newest data among all available signals. */
  get version() {
    return this.model.get('available').reduce((most, entry) => Math.max(most, entry.version), 0);
  }

  show() {
    const chosen = new Set(this.shown.map((entry) => entry.name));
    const available = this.model.get('available');
    const tappable = this.model.get('tappable');
    const taps = h('select', { 'aria-label': 'Tap a node', onchange: () => this.link.send('tap', { name: taps.value }) },
      h('option', { text: 'tap a node …', value: '' }), ...tappable.map((name) => h('option', { text: name })));
    this.list.replaceChildren(...available.map((entry) => {
      const box = h('input', { type: this.one ? 'radio' : 'checkbox', name: 'signal', onchange: () => this.#choose(entry.name, box.checked) });
      box.checked = chosen.has(entry.name);
      return h('label', {}, box, ` ${entry.name}`);
    }), ...(tappable.length ? [taps] : []));
    const sources = [...new Map(this.shown.map((entry) => [entry.source, entry.colour]))];
    this.legend.replaceChildren(...sources.map(([source, colour]) => h('span', { style: `--ink: var(--amp-${colour})`, text: source })));
    this.held = available.some((entry) => entry.source === 'held');
    this.hold.textContent = this.held ? 'Drop held' : 'Hold';
  }

  #toggleHold() {
    this.link.send(this.held ? 'drop' : 'hold');
  }

  #choose(name, on) {
    const before = this.one ? [] : this.model.get('signals').filter((entry) => entry !== name);
    this.model.set('signals', on ? [...before, name] : before);
    this.model.save_changes();
  }
}

/** Listen to several traits; returns a function that stops listening. */
export function onTraits(model, keys, handler) {
  for (const key of keys) model.on(`change:${key}`, handler);
  return () => {
    for (const key of keys) model.off(`change:${key}`, handler);
  };
}

/** Keep the trait `view` and the range of a plot equal; [] is the whole range. Returns [share, stop, read]. */
export function shareView(model, plot, digits) {
  let timer = 0;
  const same = (a, b) => a.length === b.length && a.every((value, index) => Math.abs(value - b[index]) <= 1e-9 * Math.abs(value));
  const now = () => (plot.view[0] === plot.low && plot.view[1] === plot.high ? [] : plot.view.map((value) => Number(value.toPrecision(digits))));
  const share = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      if (same(now(), model.get('view'))) return;
      model.set('view', now());
      model.save_changes();
    }, 60);
  };
  const read = () => {
    const view = model.get('view');
    if (timer || same(now(), view)) return;
    plot.look(view.length === 2 ? view : [plot.low, plot.high], false);
    plot.refresh?.();
  };
  model.on('change:view', read);
  return [share, () => { clearTimeout(timer); model.off('change:view', read); }, read];
}

export function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
