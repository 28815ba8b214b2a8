import './spectrogram.css';
import { h } from '../base/dom.js';
import { number } from '../base/format.js';
import { Latest } from '../base/latest.js';
import { Plot, ticks } from '../base/plot.js';
import { Signals, onTraits, shareView } from '../base/signals.js';
import { onTheme } from '../base/theme.js';
import { widget } from '../base/view.js';
import { PALETTE } from '../base/palette.js';

const BAR = 62;
const ROWS = 220;
const COLUMNS = 640;

export default widget('spectrogram', ({ model, root, link, surface }) => {
  let picture = null;
  let log = true;
  const logButton = h('button', { title: 'Logarithmic frequency', 'aria-pressed': 'true', onclick: () => {
    log = !log;
    logButton.setAttribute('aria-pressed', String(log));
    fetch();
  } }, 'log f');
  const choose = (key, label, values, text) => {
    const select = h('select', { 'aria-label': label, onchange: () => { model.set(key, Number(select.value)); model.save_changes(); } },
      ...values.map((value) => h('option', { value, text: text(value) })));
    return select;
  };
  const segment = choose('segment_frames', 'Window in frames', [256, 512, 1024, 2048, 4096, 8192, 16384], (value) => `${value} frames`);
  const range = choose('range_db', 'Range in dB', [60, 90, 120, 150], (value) => `${value} dB`);
  const whole = h('button', { title: 'Show everything (Home)', onclick: () => plot.reset() }, 'All');
  const signals = new Signals(model, link, { one: true, tools: [segment, logButton, range, whole] });
  const entry = () => signals.shown[0];

  const plot = new Plot(root, {
    label: 'Level over time and frequency',
    pad: { right: BAR },
    draw: (context, on, inks) => draw(context, on, inks),
    moved: () => { share(); fetch(); },
    hovered: (seconds) => measure(seconds),
  });
  const [share, unshare, readView] = shareView(model, plot, 12);

  const newest = new Latest(async (request) => {
    const { message, buffers } = await link.ask('image', request);
    if (!buffers.length || message.version !== signals.version) return;
    const levels = new Uint8Array(buffers[0].buffer.slice(buffers[0].byteOffset, buffers[0].byteOffset + buffers[0].byteLength));
    picture = { ...message, levels, bitmap: paint(levels, message.columns, message.rows) };
    plot.ask();
    root.dataset.ready = 'true';
  });
  const fetch = () => {
    const shown = entry();
    if (!shown || !plot.canvas.width) return;
    const first = Math.max(0, Math.floor(plot.view[0] * shown.sample_rate));
    const last = Math.min(shown.frames, Math.ceil(plot.view[1] * shown.sample_rate));
    const columns = Math.min(COLUMNS, plot.columns);
    newest.push({ signals: [shown.name], first, last, columns, rows: ROWS, log, version: signals.version }).catch((error) => surface.show(error));
  };
  plot.refresh = fetch;

  const place = (hz, on) => {
    const { low_hz: low, high_hz: high, log: logarithmic } = picture;
    const part = logarithmic ? Math.log(hz / low) / Math.log(high / low) : (hz - low) / (high - low);
    return on.bottom - part * (on.bottom - on.top);
  };
  const draw = (context, on, inks) => {
    if (!picture) return;
    const shown = entry();
    const [x0, x1] = [on.x(picture.first / shown.sample_rate), on.x(picture.last / shown.sample_rate)];
    context.save();
    context.beginPath();
    context.rect(on.left, on.top, on.right - on.left, on.bottom - on.top);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(picture.bitmap, x0, on.top, x1 - x0, on.bottom - on.top);
    context.restore();
    on.axis(context, (value) => `${number(value)} s`, { ...inks, grid: 'transparent' });
    context.textAlign = 'right';
    for (const value of ticks(picture.low_hz, picture.high_hz, (on.bottom - on.top) / 34, picture.log)) {
      context.fillStyle = inks.muted;
      context.fillText(value >= 1000 ? `${value / 1000} k` : number(value), on.left - 6, place(value, on) + 3);
    }
    bar(context, on, inks);
    if (plot.cursors[0] !== null || on.pointer !== null) measure(on.pointer === null ? plot.cursors[0] : on.value(on.pointer));
  };
  const bar = (context, on, inks) => {
    const x = on.right + 12;
    const high = on.bottom - on.top;
    for (let i = 0; i < 64; i += 1) {
      const colour = PALETTE[Math.round((i * 254) / 63)];
      context.fillStyle = `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
      context.fillRect(x, on.bottom - ((i + 1) * high) / 64, 10, high / 64 + 1);
    }
    context.textAlign = 'left';
    context.fillStyle = inks.muted;
    const depth = model.get('range_db');
    for (let i = 0; i <= 3; i += 1) context.fillText(number(picture.top_db - depth * (1 - i / 3)), x + 14, on.bottom - (i * high) / 3 + (i === 3 ? 9 : 0));
  };
  const measure = (seconds) => {
    if (seconds === null || !picture) {
      signals.readout.textContent = '';
      return;
    }
    const shown = entry();
    const column = Math.floor(((seconds * shown.sample_rate - picture.first) / (picture.last - picture.first)) * picture.columns);
    let best = -1;
    for (let row = 0; row < picture.rows; row += 1) {
      const level = picture.levels[row * picture.columns + Math.min(Math.max(column, 0), picture.columns - 1)];
      if (level < 255 && (best < 0 || level > picture.levels[best * picture.columns + column])) best = row;
    }
    const part = (best + 0.5) / picture.rows;
    const { low_hz: low, high_hz: high } = picture;
    const hz = picture.log ? low * (high / low) ** part : low + part * (high - low);
    signals.readout.textContent = best < 0 ? 'not finite' : `${number(Number(seconds.toPrecision(5)))} s   strongest near ${number(Math.round(hz))} Hz`;
  };

  const renew = () => {
    signals.show();
    for (const [select, key] of [[segment, 'segment_frames'], [range, 'range_db']]) {
      const value = String(model.get(key));
      if (![...select.options].some((option) => option.value === value)) select.append(h('option', { value, text: value }));
      select.value = value;
    }
    const shown = entry();
    if (!shown) return;
    plot.bounds(0, shown.frames / shown.sample_rate, 64 / shown.sample_rate);
    fetch();
  };
  root.append(signals.element, plot.element);
  const stops = [onTraits(model, ['available', 'tappable', 'signals', 'segment_frames', 'range_db'], renew), onTheme(() => plot.ask()), unshare];
  root.plot = plot;
  renew();
  readView();
  return () => {
    stops.forEach((stop) => stop());
    plot.close();
  };
});

/** Levels, lowest frequency first, as a picture with the lowest at the bottom. */
function paint(levels, columns, rows) {
  const canvas = new OffscreenCanvas(columns, rows);
  const image = new ImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < rows; row += 1) {
    const from = (rows - 1 - row) * columns;
    for (let column = 0; column < columns; column += 1) pixels[row * columns + column] = PALETTE[levels[from + column]];
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}
