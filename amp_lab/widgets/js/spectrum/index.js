import './spectrum.css';
import { h } from '../base/dom.js';
import { number } from '../base/format.js';
import { Latest } from '../base/latest.js';
import { Plot, ticks } from '../base/plot.js';
import { Signals, floats, onTraits, shareView } from '../base/signals.js';
import { onTheme } from '../base/theme.js';
import { widget } from '../base/view.js';

const LOWEST = 20;
const DEPTHS = [60, 90, 120, 160, 240];
const hertz = (value) => (value >= 1000 ? `${Number((value / 1000).toPrecision(4))} k` : number(value));

export default widget('spectrum', ({ model, root, link, surface }) => {
  let bands = new Map();
  let top = 0;
  let depth = 120;
  const toggle = (text, title, pressed, act) => {
    const button = h('button', { title, 'aria-pressed': String(pressed), onclick: () => {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      act(on);
    } }, text);
    return button;
  };
  let linear = false;
  const logButton = toggle('log f', 'Logarithmic frequency', true, (on) => { plot.log = on; renew(); });
  const dbButton = toggle('dB', 'Level in dB, or linear', true, (on) => { linear = !on; plot.ask(); });
  const depths = h('select', { 'aria-label': 'Range in dB', onchange: () => { depth = Number(depths.value); plot.ask(); } },
    ...DEPTHS.map((value) => h('option', { value, text: `${value} dB` })));
  depths.value = depth;
  const windows = h('select', { 'aria-label': 'Window', onchange: () => { model.set('window', windows.value); model.save_changes(); } },
    ...['blackmanharris', 'flattop'].map((name) => h('option', { text: name })));
  const whole = h('button', { title: 'Show everything (Home)', onclick: () => plot.reset() }, 'All');
  const signals = new Signals(model, link, { tools: [windows, logButton, dbButton, depths, whole] });

  const nyquist = () => Math.max(1, ...signals.shown.map((entry) => entry.sample_rate / 2));
  const plot = new Plot(root, {
    label: 'Spectra',
    log: true,
    low: LOWEST,
    high: 24000,
    draw: (context, on, inks) => draw(context, on, inks),
    moved: () => { share(); fetch(); },
    hovered: (value) => measure(value),
  });
  const [share, unshare, readView] = shareView(model, plot, 9);

  const newest = new Latest(async (request) => {
    const { message, buffers } = await link.ask('band', request);
    if (message.version !== signals.version) return;
    bands = new Map(message.signals.map((name, index) => [name, { points: floats(buffers[index]), peaks: message.peaks[index] }]));
    top = 5 * Math.ceil(Math.max(-200, ...message.peaks.flat().map((peak) => peak[1]), -60) / 5);
    plot.ask();
    root.dataset.ready = 'true';
    root.dataset.peak = message.peaks[0]?.[0]?.join(' ') ?? '';
  });
  const fetch = () => {
    if (!plot.canvas.width) return;
    const names = signals.shown.map((entry) => entry.name);
    const [low, high] = plot.view;
    newest.push({ signals: names, low, high, columns: plot.columns, log: plot.log, version: signals.version }).catch((error) => surface.show(error));
  };
  plot.refresh = fetch;

  const scale = () => (linear
    ? { low: 0, high: 10 ** (top / 20), of: (db) => 10 ** (db / 20) }
    : { low: top - depth, high: top + depth * 0.08, of: (db) => db });
  const draw = (context, on, inks) => {
    const map = scale();
    const y = (db) => on.bottom - ((map.of(db) - map.low) / (map.high - map.low)) * (on.bottom - on.top);
    on.axis(context, hertz, inks);
    for (const value of ticks(map.low, map.high, (on.bottom - on.top) / 32, false)) {
      const height = on.bottom - ((value - map.low) / (map.high - map.low)) * (on.bottom - on.top);
      context.fillStyle = inks.grid;
      context.fillRect(on.left, Math.round(height), on.right - on.left, 1);
      context.fillStyle = inks.muted;
      context.textAlign = 'right';
      context.fillText(number(value), on.left - 6, height + 3);
    }
    context.textAlign = 'left';
    context.fillText(linear ? 'amplitude' : 'dBFS', on.left + 6, on.top + 11);
    context.save();
    context.beginPath();
    context.rect(on.left, on.top, on.right - on.left, on.bottom - on.top);
    context.clip();
    const count = {};
    signals.shown.forEach((entry) => {
      const band = bands.get(entry.name);
      if (!band) return;
      const nth = (count[entry.source] = (count[entry.source] ?? 0) + 1);
      curve(context, on, band.points, y, inks[entry.colour], nth);
    });
    const first = signals.shown.find((entry) => bands.has(entry.name));
    if (first) peaks(context, on, bands.get(first.name).peaks, y, inks);
    context.restore();
  };
  const measure = (value) => {
    const parts = [];
    const at = value ?? plot.cursors[0];
    if (at !== null) {
      parts.push(`${number(Number(at.toPrecision(5)))} Hz`);
      for (const entry of signals.shown.slice(0, 3)) {
        const level = nearest(bands.get(entry.name)?.points, at);
        if (level !== null) parts.push(`${level.toFixed(1)} dB`);
      }
    }
    const [a, b] = plot.cursors;
    if (a !== null && b !== null) parts.push(`B − A ${number(Number((b - a).toPrecision(4)))} Hz, ratio ${number(b / a)}`);
    signals.readout.textContent = parts.join('   ');
  };

  const renew = () => {
    signals.show();
    windows.value = model.get('window');
    plot.bounds(plot.log ? LOWEST : 0, nyquist(), plot.log ? 1 : 0.5);
    fetch();
  };
  root.append(signals.element, plot.element);
  const stops = [onTraits(model, ['available', 'tappable', 'signals', 'window'], renew), onTheme(() => plot.ask()), unshare];
  root.plot = plot;
  renew();
  readView();
  return () => {
    stops.forEach((stop) => stop());
    plot.close();
  };
});

function curve(context, on, points, y, colour, nth) {
  context.beginPath();
  for (let i = 0; i < points.length; i += 2) {
    const x = on.x(Math.max(points[i], 1e-3));
    if (i) context.lineTo(x, y(points[i + 1]));
    else context.moveTo(x, y(points[i + 1]));
  }
  context.strokeStyle = colour;
  context.globalAlpha = nth > 1 ? 0.5 : 1;
  context.lineWidth = 1.3;
  context.stroke();
  if (nth === 1) {
    context.lineTo(on.right, on.bottom);
    context.lineTo(on.left, on.bottom);
    context.globalAlpha = 0.08;
    context.fillStyle = colour;
    context.fill();
  }
  context.globalAlpha = 1;
}

function peaks(context, on, found, y, inks) {
  const boxes = [];
  context.font = '10px system-ui, sans-serif';
  context.textAlign = 'center';
  for (const [value, level] of found) {
    if (value < on.view[0] || value > on.view[1]) continue;
    const [x, height] = [on.x(value), y(level)];
    const text = `${hertz(Number(value.toPrecision(5)))}${value < 1000 ? ' ' : ''}Hz`;
    const half = context.measureText(text).width / 2 + 3;
    if (boxes.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.height - height) < 24)) continue;
    boxes.push({ x, half, height });
    context.fillStyle = inks.ink;
    context.beginPath();
    context.arc(x, height, 2.5, 0, 7);
    context.fill();
    context.fillText(text, Math.min(Math.max(x, on.left + half), on.right - half), Math.max(height - 7, on.top + 9));
  }
}

function nearest(points, at) {
  if (!points?.length) return null;
  let low = 0;
  let high = points.length / 2 - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[2 * middle] < at) low = middle + 1;
    else high = middle;
  }
  return points[2 * low + 1];
}
