import './thermo.css';
import '../base/bar.css';
import { h } from '../base/dom.js';
import { number, si } from '../base/format.js';
import { Latest } from '../base/latest.js';
import { PALETTE } from '../base/palette.js';
import { Plot, ticks } from '../base/plot.js';
import { Rows } from '../base/rows.js';
import { floats, onTraits } from '../base/signals.js';
import { onTheme } from '../base/theme.js';
import { widget } from '../base/view.js';

const TOTAL = 74;
const LINES = 0.34;
const DECADES = 4;

export default widget('thermo', ({ model, root, link, surface }) => {
  let heat = null;
  let kelvin = false;
  const which = h('button', { title: 'Temperature above ambient instead of power', 'aria-pressed': 'false', onclick: () => {
    kelvin = !kelvin;
    which.setAttribute('aria-pressed', String(kelvin));
    plot.ask();
  } }, 'Temperature');
  const whole = h('button', { title: 'Show everything (Home)', onclick: () => plot.reset() }, 'All');
  const readout = h('output', { class: 'readout' });
  const title = h('b', { text: 'Heat' });
  const plot = new Plot(root, {
    label: 'Heat per node over time',
    pad: { left: 118, right: TOTAL },
    draw: (context, on, inks) => heat && draw(context, on, inks),
    moved: () => fetch(),
    hovered: (seconds) => showReadout(seconds),
  });
  const rows = new Rows(model, plot);
  plot.refresh = () => fetch();

  const newest = new Latest(async (request) => {
    const { message, buffers } = await link.ask('heat', request);
    if (message.version !== model.get('version') || message.empty) return;
    const data = buffers.map(floats);
    const count = message.nodes.length;
    const first = !heat;
    heat = { ...message, power: data.slice(0, count), graph: data[count] ?? new Float32Array(), kelvin: data.slice(count + 1) };
    if (first) plot.bounds(0, message.windows * message.window_s, 8 * message.window_s);
    const total = heat.total_j.reduce((sum, value) => sum + value, 0);
    const cold = message.cold ? `, ${message.cold} node${message.cold > 1 ? 's' : ''} without heat` : '';
    title.textContent = `${si(total, 'J')} in ${number(Number((message.windows * message.window_s).toPrecision(4)))} s${cold}`;
    which.disabled = !heat.kelvin.length;
    root.dataset.ready = 'true';
    plot.ask();
  });
  const fetch = () => {
    if (!plot.canvas.width) return;
    const [first, last] = heat ? plot.view.map((seconds) => seconds / heat.window_s) : [0, 2 ** 40];
    newest.push({ first: Math.floor(first), last: Math.ceil(last), columns: plot.columns }).catch((error) => surface.show(error));
  };

  const draw = (context, on, inks) => {
    const split = on.bottom - (on.bottom - on.top) * LINES;
    const names = heat.nodes;
    const high = (split - 14 - on.top) / Math.max(names.length, 1);
    on.axis(context, (value) => `${number(value)} s`, inks);
    context.fillStyle = inks.panel;
    rows.label(context, inks, names, on.top, high);
    image(context, on, high);
    context.textAlign = 'left';
    names.forEach((_, index) => {
      context.fillStyle = inks.muted;
      context.font = `${Math.min(10.5, Math.max(7, high - 2))}px system-ui, sans-serif`;
      if (high >= 8) context.fillText(si(heat.total_j[index], 'J'), on.right + 8, on.top + (index + 0.5) * high + 3.5);
    });
    if (kelvin && heat.kelvin.length) curves(context, on, inks, split, heat.kelvin, heat.warm, 'K above ambient');
    else curves(context, on, inks, split, [heat.graph], ['graph'], 'W', heat.budget_w);
  };

  const at = (column) => (heat.first + (column * (heat.last - heat.first)) / heat.columns) * heat.window_s;
  const image = (context, on, high) => {
    const top = heat.power.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 1e-15);
    const picture = new OffscreenCanvas(heat.columns, Math.max(heat.power.length, 1));
    const pixels = new ImageData(heat.columns, Math.max(heat.power.length, 1));
    const words = new Uint32Array(pixels.data.buffer);
    heat.power.forEach((row, index) => row.forEach((value, column) => {
      const part = value > 0 ? 1 + Math.log10(value / top) / DECADES : 0;
      words[index * heat.columns + column] = PALETTE[Math.round(254 * Math.min(Math.max(part, 0), 1))];
    }));
    picture.getContext('2d').putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    const [x0, x1] = [on.x(at(0)), on.x(at(heat.columns))];
    context.save();
    context.beginPath();
    context.rect(on.left, on.top, on.right - on.left, high * heat.power.length);
    context.clip();
    heat.power.forEach((_, index) => context.drawImage(picture, 0, index, heat.columns, 1, x0, on.top + index * high + 1, x1 - x0, Math.max(high - 2, 1)));
    context.restore();
  };

  const curves = (context, on, inks, split, lines, names, unit, budget = null) => {
    const most = lines.reduce((top, row) => row.reduce((a, b) => Math.max(a, b), top), budget ?? 1e-12) * 1.1;
    const y = (value) => on.bottom - (value / most) * (on.bottom - split - 6);
    context.font = '10px system-ui, sans-serif';
    for (const value of ticks(0, most, 3, false)) {
      context.fillStyle = inks.grid;
      context.fillRect(on.left, Math.round(y(value)), on.right - on.left, 1);
      context.fillStyle = inks.muted;
      context.textAlign = 'right';
      context.fillText(unit === 'W' ? si(value, 'W') : number(value), on.left - 8, y(value) + 3);
    }
    context.save();
    context.beginPath();
    context.rect(on.left, split, on.right - on.left, on.bottom - split);
    context.clip();
    lines.forEach((row, index) => {
      context.beginPath();
      row.forEach((value, column) => context.lineTo(on.x(at(column + 0.5)), y(value)));
      context.strokeStyle = inks[['warm', 'accent', 'good', 'modulation', 'gold', 'sky', 'violet', 'audio'][index % 8]];
      context.lineWidth = 1.5;
      context.stroke();
    });
    if (budget !== null) {
      context.fillStyle = inks.fault;
      context.fillRect(on.left, y(budget), on.right - on.left, 1.5);
      context.textAlign = 'right';
      context.fillText(`budget ${si(budget, 'W')}`, on.right - 4, y(budget) - 4);
    }
    context.restore();
    context.textAlign = 'left';
    context.fillStyle = inks.muted;
    context.fillText(unit === 'W' ? 'power of the graph' : `${names.slice(0, 6).join(', ')} (K above ambient)`, on.left + 6, split + 8);
  };

  const showReadout = (seconds) => {
    const index = heat?.nodes.indexOf(model.get('hovered')) ?? -1;
    if (seconds === null || !heat || seconds < at(0)) {
      readout.textContent = '';
      return;
    }
    const column = Math.min(Math.max(Math.floor(((seconds / heat.window_s - heat.first) / (heat.last - heat.first)) * heat.columns), 0), heat.columns - 1);
    const parts = [`${number(Number(seconds.toPrecision(4)))} s`, `graph ${si(heat.graph[column], 'W')}`];
    if (index >= 0) parts.push(`${heat.nodes[index]} ${si(heat.power[index][column], 'W')}`);
    readout.textContent = parts.join('   ');
  };

  root.append(h('div', { class: 'bar-head' }, title, h('span', { class: 'gap' }), readout, which, whole), h('div', { class: 'scroll' }, plot.element));
  const stops = [
    onTraits(model, ['version'], () => { heat = null; fetch(); }),
    onTraits(model, ['hovered', 'selected'], () => plot.ask()),
    onTheme(() => plot.ask()),
  ];
  root.plot = plot;
  return () => {
    stops.forEach((stop) => stop());
    rows.close();
    plot.close();
  };
});
