import { h } from '../base/dom.js';
import { brief, number } from '../base/format.js';
import { isEdited } from '../base/input.js';
import { Latest } from '../base/latest.js';
import { toPosition, toValue, travel } from './travel.js';

const SEGMENT_LETTERS = 18;
const COLUMN_PX = 310;
const HEAD_ROWS = 2;

/** One row: label, control and number of a parameter; `row.show(node)` updates it. */
function makeRow(name, param, desk) {
  const place = `${name}.${param.key}`;
  const label = h('label', { title: `${param.key}: ${param.doc}`, text: param.unit ? param.key.replace(/_(hz|s|db|cycles)$/, '') : param.key });
  const control = h('span', { class: 'control' });
  const unit = h('span', { class: 'unit', text: param.unit });
  const element = h('div', { class: 'row', 'data-place': place }, label, control, unit);
  const send = new Latest(({ value, gesture }) => desk.edit([{ op: 'set', node: name, params: { [param.key]: value } }], gesture));
  let shape = '';
  let live = null;

  const commit = (value, gesture = null) => send.push({ value, gesture });
  const shapes = {
    number(value) {
      let range = travel(param, value);
      let gesture = null;
      const slider = h('input', { type: 'range', min: 0, max: 1000, step: 1, 'aria-label': place });
      const entry = h('input', { type: 'text', class: 'number', inputmode: 'decimal', 'aria-label': `${place} value` });
      const held = () => gesture !== null;
      const show = (now) => {
        if (now > range.high || now < range.low) range = travel(param, now);
        slider.value = toPosition(range, now);
        slider.style.setProperty('--part', slider.value / 1000);
        if (!isEdited(entry)) entry.value = number(now);
      };
      slider.addEventListener('input', () => {
        gesture ??= `${place}:${performance.now()}`;
        const now = toValue(range, Number(slider.value));
        slider.style.setProperty('--part', slider.value / 1000);
        entry.value = number(now);
        desk.moved?.(performance.now());
        commit(now, gesture);
      });
      slider.addEventListener('change', () => { gesture = null; });
      slider.addEventListener('dblclick', () => commit(param.default));
      const typed = () => {
        const given = Number(entry.value.replace(',', '.'));
        const fine = entry.value.trim() !== '' && Number.isFinite(given);
        entry.classList.toggle('bad', !fine);
        if (fine) commit(param.kind === 'integer' ? Math.round(given) : given);
      };
      entry.addEventListener('change', typed);
      entry.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') entry.value = number(live.now);
      });
      const follow = param.rate === 'frame'
        ? h('button', { class: 'amp-icon follow', title: 'Follow a curve', 'aria-label': `Let ${place} follow a curve`, onclick: () => desk.follow(name, param, live.now), text: '∿' })
        : null;
      control.append(slider, entry, ...(follow ? [follow] : []));
      show(value);
      return { show: (now) => { live.now = now; if (!held()) show(now); }, now: value };
    },
    choice() {
      const pick = (choice) => commit(choice);
      if (param.choices.join('').length <= SEGMENT_LETTERS) {
        const buttons = param.choices.map((choice) => h('button', { text: choice, role: 'radio', onclick: () => pick(choice) }));
        control.append(h('span', { class: 'segments', role: 'radiogroup', 'aria-label': place }, ...buttons));
        return { show: (now) => buttons.forEach((button) => button.setAttribute('aria-checked', button.textContent === now)) };
      }
      const select = h('select', { 'aria-label': place, onchange: () => pick(select.value) }, ...param.choices.map((choice) => h('option', { text: choice })));
      control.append(select);
      // setting a value, even the same one, makes the browser search all fields of the page for forms to fill
      return { show: (now) => { if (select.value !== now) select.value = now; } };
    },
    text() {
      const entry = h('input', { type: 'text', 'aria-label': place, onchange: () => commit(entry.value) });
      control.append(entry);
      return { show: (now) => { if (!isEdited(entry)) entry.value = now; } };
    },
    curve() {
      const name_ = h('button', { class: 'amp-link', title: 'Edit the curve' });
      const hold = h('button', { class: 'amp-icon', title: 'A number instead of the curve', text: '×', 'aria-label': `${place} number`, onclick: () => commit(param.default) });
      control.append(h('span', { class: 'follows', text: '∿' }), name_, hold);
      return { show: (now) => { name_.textContent = now.curve; name_.onclick = () => desk.openCurve(now.curve); } };
    },
    array() {
      const words = h('output', {});
      control.append(words);
      return { show: (now) => { words.textContent = now; } };
    },
  };

  const show = (node) => {
    const dims = node.arrays?.[param.key];
    const value = dims ? dims.join(' × ') : node.params?.[param.key] ?? param.default;
    const wanted = shapeOf(param, value, dims);
    if (wanted !== shape) {
      control.replaceChildren();
      shape = wanted;
      live = { now: value };
      Object.assign(live, shapes[shape](value));
    }
    live.now = value;
    live.show(Array.isArray(value) ? brief(value) : value);
    element.classList.toggle('own', node.params?.[param.key] !== undefined);
  };
  const entries = () => [
    { text: 'Back to the default', disabled: !element.classList.contains('own'), run: () => commit(param.default) },
    ...(shape === 'number' && param.rate === 'frame' ? [{ text: 'Follow a curve', run: () => desk.follow(name, param, live.now) }] : []),
    null,
  ];
  return { element, show, entries };
}

function shapeOf(param, value, dims) {
  if (dims || Array.isArray(value)) return 'array';
  if (value !== null && typeof value === 'object') return 'curve';
  if (param.kind === 'enum') return 'choice';
  return param.kind === 'text' ? 'text' : 'number';
}

/**
 * The cards of all nodes; `show(document)` is called after every patch and updates only what changed. The columns are
 * made here, because CSS columns would lay out all cards again whenever one digit changes.
 */
export class Cards {
  constructor(contracts, desk) {
    this.contracts = contracts;
    this.desk = desk;
    this.cards = new Map();
    this.columns = [h('div', {})];
    this.element = h('div', { class: 'cards' }, ...this.columns);
    this.words = [];
    this.observer = new ResizeObserver(() => this.#fit());
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
  }

  show({ nodes, modulations }) {
    for (const [name, card] of this.cards) {
      if (nodes[name]?.type === card.type) continue;
      card.element.remove();
      this.cards.delete(name);
    }
    const moved = new Set(Object.values(modulations).map((link) => link.to));
    for (const [name, node] of Object.entries(nodes)) {
      const contract = this.contracts[node.type];
      if (!contract.params.length) continue;
      if (!this.cards.has(name)) this.#make(name, node, contract);
      const card = this.cards.get(name);
      if (card.node !== node) card.rows.forEach((row) => row.show(node));
      card.node = node;
      for (const row of card.rows) row.element.classList.toggle('moved', moved.has(row.element.dataset.place));
    }
    this.#filter();
  }

  /** Entries of the context menu for the row that contains an element. */
  entries(element) {
    const row = element.closest('[data-place]');
    return [...this.cards.values()].flatMap((card) => card.rows).find((one) => one.element === row)?.entries() ?? [];
  }

  /** Show only rows that contain all these words. */
  filter(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.#filter();
  }

  /** Scroll the card of a node into view. */
  reveal(name) {
    this.cards.get(name)?.element.scrollIntoView({ block: 'nearest' });
  }

  #make(name, node, contract) {
    const rows = contract.params.map((param) => makeRow(name, param, this.desk));
    const element = h('section', { class: 'card', 'aria-label': name },
      h('h4', {}, h('b', { text: name }), h('span', { text: node.type })), ...rows.map((row) => row.element));
    this.cards.set(name, { element, rows, type: node.type, node: null });
  }

  #fit() {
    const count = Math.max(1, Math.floor(this.element.clientWidth / COLUMN_PX));
    if (count === this.columns.length) return;
    this.columns = Array.from({ length: count }, () => h('div', {}));
    this.element.replaceChildren(...this.columns);
    this.#deal();
  }

  /** Distribute the cards in order, with about as many rows in each column. */
  #deal() {
    const cards = [...this.cards.values()];
    const rows = cards.map(({ element, rows: all }) => (element.hidden ? 0 : HEAD_ROWS + all.filter((row) => !row.element.hidden).length));
    const share = rows.reduce((sum, count) => sum + count, 0) / this.columns.length || 1;
    const piles = this.columns.map(() => []);
    let dealt = 0;
    cards.forEach(({ element }, i) => {
      piles[Math.min(Math.floor((dealt + rows[i] / 2) / share), piles.length - 1)].push(element);
      dealt += rows[i];
    });
    this.columns.forEach((column, i) => {
      if (column.children.length !== piles[i].length || piles[i].some((element, k) => column.children[k] !== element)) column.replaceChildren(...piles[i]);
    });
  }

  #filter() {
    for (const card of this.cards.values()) {
      let any = false;
      for (const row of card.rows) {
        const fits = this.words.every((word) => `${row.element.dataset.place} ${card.type}`.toLowerCase().includes(word));
        row.element.hidden = !fits;
        any ||= fits;
      }
      card.element.hidden = !any;
    }
    this.#deal();
  }
}
