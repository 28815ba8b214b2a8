import './scope.css';
import { h } from '../base/dom.js';
import { fine, number, si } from '../base/format.js';
import { Latest } from '../base/latest.js';
import { Plot } from '../base/plot.js';
import { Signals, floats, onTraits, shareView } from '../base/signals.js';
import { onTheme } from '../base/theme.js';
import { widget } from '../base/view.js';
import { laneAxis, scaleOf, trace } from './draw.js';
import { Tiles } from './tiles.js';

const OVERVIEW = 2400;

export default widget('scope', ({ model, root, link, surface }) => {
  const tiles = new Tiles();
  let decibels = false;
  let version = -1;
  let hover = null;
  const scales = h('button', { 'aria-pressed': 'false', title: 'Level in dB', onclick: () => {
    decibels = !decibels;
    scales.setAttribute('aria-pressed', String(decibels));
    plot.ask();
  } }, 'dB');
  const zoomIn = h('button', { class: 'amp-icon', title: 'Zoom in (+)', 'aria-label': 'Zoom in', onclick: () => plot.zoom(0.5) }, '+');
  const zoomOut = h('button', { class: 'amp-icon', title: 'Zoom out (-)', 'aria-label': 'Zoom out', onclick: () => plot.zoom(2) }, '−');
  const whole = h('button', { title: 'Show everything (Home)', onclick: () => plot.reset() }, 'All');
  const signals = new Signals(model, link, { tools: [scales, zoomOut, zoomIn, whole] });

  const rate = () => Math.max(1, ...signals.shown.map((entry) => entry.sample_rate));
  const frames = () => Math.max(1, ...signals.shown.map((entry) => entry.frames));
  const span = () => {
    const first = Math.max(0, Math.floor(plot.view[0] * rate()));
    const last = Math.min(frames(), Math.ceil(plot.view[1] * rate()) + 1);
    return [first, Math.max(last, first + 1)];
  };

  const plot = new Plot(root, {
    label: 'Signals over time',
    draw: (context, on, inks) => draw(context, on, inks),
    moved: () => { share(); fetchView(); },
    hovered: surface.guard((seconds) => measure(seconds)),
  });
  const [share, unshare, readView] = shareView(model, plot, 12);

  const newest = new Latest(async ({ first, last, columns }) => {
    const names = signals.shown.map((entry) => entry.name);
    const start = performance.now();
    const { message, buffers } = await link.ask('span', { signals: names, first, last, columns, version });
    if (message.version !== version) return;
    const pairs = Object.fromEntries(message.signals.map((name, index) => [name, floats(buffers[index])]));
    tiles.add({ first: message.first, last: message.last, columns: message.columns, pairs });
    plot.canvas.now();
    Object.assign(root.dataset, { span: `${message.first}:${message.last}`, exactMs: (performance.now() - start).toFixed(1), drawMs: plot.drawMs.toFixed(2) });
  });
  const fetch = (first, last, columns) => {
    const names = signals.shown.map((entry) => entry.name);
    if (names.length && plot.canvas.width && !tiles.has(names, first, last, columns)) newest.push({ first, last, columns }).catch((error) => surface.show(error));
  };
  const fetchView = () => fetch(...span(), plot.columns);
  plot.refresh = () => {
    fetch(0, frames(), OVERVIEW);
    fetchView();
  };

  const draw = (context, on, inks) => {
    const shown = signals.shown;
    const lanes = [...new Set(shown.map((entry) => entry.lane))];
    on.axis(context, time, inks);
    const high = (on.bottom - on.top) / Math.max(lanes.length, 1);
    const [first, last] = span();
    let faults = 0;
    lanes.forEach((lane, index) => {
      const top = on.top + index * high;
      const bottom = top + high - (index < lanes.length - 1 ? 8 : 0);
      const members = shown.filter((entry) => entry.lane === lane).map((entry) => ({ entry, tile: tiles.find(entry.name, first, last) })).filter(({ tile }) => tile);
      const scale = scaleOf(members.map(({ entry, tile }) => tile.pairs[entry.name]), decibels);
      const y = laneAxis(context, on, inks, { top, bottom, scale, name: lane, last: index === lanes.length - 1 });
      context.save();
      context.beginPath();
      context.rect(on.left, top, on.right - on.left, bottom - top);
      context.clip();
      for (const { entry, tile } of members) {
        faults += trace(context, on, inks, { tile, pairs: tile.pairs[entry.name], rate: entry.sample_rate, colour: entry.colour, several: members.length > 1, y, scale, top, bottom });
      }
      context.restore();
    });
    root.dataset.faults = faults;
  };

  const time = (seconds) => fine(seconds, plot.view[1] - plot.view[0]);
  const values = new Latest(async (frame) => {
    const { message } = await link.ask('values', { frame, signals: signals.shown.map((entry) => entry.name) });
    hover = { frame, values: message.values };
    showReadout();
  });
  const measure = (seconds) => {
    if (seconds === null && plot.cursors[0] === null) {
      hover = null;
      showReadout();
      return;
    }
    const at = seconds ?? plot.cursors[0];
    values.push(Math.min(Math.max(Math.round(at * rate()), 0), frames() - 1)).catch((error) => surface.show(error));
  };
  const showReadout = () => {
    const parts = [];
    if (hover) parts.push(`frame ${hover.frame.toLocaleString('en')}`, hover.values.slice(0, 4).map((value) => value.slice(0, 11)).join('  '));
    const [a, b] = plot.cursors;
    if (a !== null && b !== null) parts.push(`B − A ${si(b - a, 's')} · ${number(1 / Math.abs(b - a || 1))} Hz`);
    signals.readout.textContent = parts.join('   ');
  };

  const renew = () => {
    signals.show();
    if (version !== signals.version) {
      version = signals.version;
      tiles.clear();
    }
    plot.bounds(0, frames() / rate(), 4 / rate());
    plot.refresh();
    root.dataset.ready = 'true';
  };
  root.append(signals.element, plot.element);
  const stops = [onTraits(model, ['available', 'tappable', 'signals'], renew), onTheme(() => plot.ask()), unshare];
  root.plot = plot;
  renew();
  readView();
  return () => {
    stops.forEach((stop) => stop());
    plot.close();
  };
});
