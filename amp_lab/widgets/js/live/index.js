import './live.css';
import { h } from '../base/dom.js';
import { KernelLink } from '../base/link.js';
import { onTheme } from '../base/theme.js';
import { undoEntries, undoKeys } from '../base/undo.js';
import { widget } from '../base/view.js';
import { Engine } from './engine.js';
import { LevelHistory, Meters } from './meters.js';

const LOWEST_DB = -60;
const COMPACT = 80;

function view(engine, { model, root, link, surface }) {
  const set = (key, value) => {
    model.set(key, value);
    model.save_changes();
  };
  const start = h('button', { class: 'start', onclick: surface.guard(() => (engine.context ? engine.stop() : begin())) });
  const begin = () => {
    surface.clear();
    return engine.start();
  };
  const mute = h('button', { class: 'amp-icon mute', 'aria-label': 'Mute', text: 'Mute', onclick: () => set('muted', !model.get('muted')) });
  const level = h('output', { class: 'db' });
  const volume = h('input', { type: 'range', min: LOWEST_DB, max: 0, step: 0.5, 'aria-label': 'Volume', oninput: () => set('volume_db', Number(volume.value)) });
  const repeat = h('button', { class: 'amp-icon repeat', 'aria-label': 'Repeat curves', title: 'Curves begin again at their end', text: '↻', onclick: () => set('repeat', !model.get('repeat')) });
  const state = h('output', { class: 'state', 'aria-live': 'polite' });
  const facts = h('span', { class: 'facts' });
  const meters = new Meters(root);
  const history = new LevelHistory(root);
  root.append(
    h('div', { class: 'controls', role: 'group', 'aria-label': 'Live sound' }, h('b', { text: 'Live sound' }), start, state, h('span', { class: 'gap' }), repeat, mute, volume, level),
    meters.canvas.element,
    h('div', { class: 'stream' }, history.canvas.element, facts),
  );

  const traits = () => {
    const muted = model.get('muted');
    const db = model.get('volume_db');
    volume.value = db;
    volume.style.setProperty('--part', 1 - db / LOWEST_DB);
    level.textContent = `${db.toFixed(db % 1 ? 1 : 0)} dB`;
    mute.setAttribute('aria-pressed', muted);
    repeat.setAttribute('aria-pressed', model.get('repeat'));
  };
  const changed = () => {
    const { context, report, waits } = engine;
    start.replaceChildren(h('span', { 'aria-hidden': 'true', text: context ? '■ ' : '▶ ' }), context ? 'Stop' : 'Start');
    start.setAttribute('aria-label', context ? 'Stop' : 'Start');
    root.classList.toggle('on', Boolean(context));
    const words = !context ? 'stopped' : waits ? waits.message : report?.flowing ? 'live' : 'starting';
    if (state.textContent !== words) state.textContent = words;
    state.title = words;
    state.className = waits ? 'state bad' : 'state';
    root.dataset.state = waits ? 'waits' : words;
    if (report) {
      const limited = report.least < 0.99 ? ` · guard ${(20 * Math.log10(report.least)).toFixed(0)} dB` : '';
      facts.textContent = `${Math.round(1000 * engine.latency)} ms to the ear · ring ${Math.round((1000 * report.fill) / context.sampleRate)} ms · underruns ${report.underruns}${limited}`;
      Object.assign(root.dataset, { underruns: report.underruns, silent: report.silent, latency: (1000 * engine.latency).toFixed(1) });
    } else facts.textContent = '';
    meters.show(report);
    history.show(report, engine);
  };
  const failed = (error) => surface.show(error);
  const detach = engine.attach({ changed, failed });
  for (const key of ['volume_db', 'muted', 'repeat']) model.on(`change:${key}`, traits);
  const stopTheme = onTheme(() => {
    meters.canvas.ask();
    history.canvas.ask();
  });
  undoKeys(root, link);
  root.menu = () => [
    { text: engine.context ? 'Stop' : 'Start', run: () => start.click() },
    { text: model.get('muted') ? 'Unmute' : 'Mute', run: () => mute.click() },
    null,
    ...undoEntries(link),
  ];
  root.classList.toggle('compact', model.get('height') < COMPACT);
  traits();
  changed();
  root.engine = engine;
  root.dataset.ready = 'true';
  return () => {
    for (const key of ['volume_db', 'muted', 'repeat']) model.off(`change:${key}`, traits);
    stopTheme();
    detach();
    meters.canvas.close();
    history.canvas.close();
  };
}

/** One engine per model, shared by its views: two views do not double the sound. */
export default () => {
  let engine = null;
  const { render } = widget('live', (place) => view(engine, place));
  return {
    initialize({ model }) {
      engine = new Engine(model, new KernelLink(model));
      return () => engine.close();
    },
    render,
  };
};
