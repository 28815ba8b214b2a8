import { number } from '../base/format.js';
import { ticks } from '../base/plot.js';

const FLOOR_DB = -120;

/** The function from a value to a height in a lane: linear around zero, or the level in dB above the floor. */
export function scaleOf(tiles, decibels) {
  if (decibels) return { low: FLOOR_DB, high: 6, of: (value) => 20 * Math.log10(Math.max(Math.abs(value), 1e-6)) };
  let most = 1e-9;
  for (const pairs of tiles) for (const value of pairs) if (Math.abs(value) > most && Math.abs(value) < Infinity) most = Math.abs(value);
  const reach = most > 0.5 && most <= 1 ? 1 : most * 1.08;
  return { low: -reach, high: reach, of: (value) => value };
}

export function laneAxis(context, plot, inks, { top, bottom, scale, name, last }) {
  const y = (value) => bottom - ((value - scale.low) / (scale.high - scale.low)) * (bottom - top);
  for (const value of ticks(scale.low, scale.high, (bottom - top) / 34, false)) {
    context.fillStyle = value === 0 ? inks.line : inks.grid;
    context.fillRect(plot.left, Math.round(y(value)), plot.right - plot.left, 1);
    context.fillStyle = inks.muted;
    context.textAlign = 'right';
    if (y(value) > top + 3 && y(value) < bottom - 3) context.fillText(number(value), plot.left - 6, y(value) + 3);
  }
  context.textAlign = 'left';
  context.fillStyle = inks.muted;
  context.fillText(name, plot.left + 6, top + 11);
  if (!last) {
    context.fillStyle = inks.line;
    context.fillRect(0, bottom + 4, plot.canvas.width, 1);
  }
  return y;
}

/** One signal from a tile: a column per pair, joined to its neighbours, or single samples; faults over the full height. */
export function trace(context, plot, inks, { tile, pairs, rate, colour, several, y, scale, top, bottom }) {
  const step = (tile.last - tile.first) / tile.columns;
  const exact = step <= 1.0001;
  const width = plot.x((tile.first + step) / rate) - plot.x(tile.first / rate);
  const from = Math.max(0, Math.floor(((plot.view[0] * rate - tile.first) / step)) - 1);
  const to = Math.min(tile.columns, Math.ceil(((plot.view[1] * rate - tile.first) / step)) + 1);
  const faults = [];
  context.fillStyle = context.strokeStyle = inks[colour];
  context.globalAlpha = several ? 0.6 : 0.95;
  if (exact && width > 1.5) line(context, plot, { tile, pairs, rate, y, scale, from, to, width, faults });
  else {
    let low = NaN;
    let high = NaN;
    for (let i = from; i < to; i += 1) {
      const a = pairs[2 * i];
      const b = pairs[2 * i + 1];
      if (Number.isNaN(a)) continue;
      if (!(Math.abs(a) < Infinity && Math.abs(b) < Infinity)) {
        faults.push(i);
        continue;
      }
      const bottomValue = scale.low < -100 ? (a * b <= 0 ? 0 : Math.min(Math.abs(a), Math.abs(b))) : a;
      const topValue = scale.low < -100 ? Math.max(Math.abs(a), Math.abs(b)) : b;
      const y0 = y(scale.of(Number.isNaN(high) ? topValue : Math.max(topValue, Math.min(low, topValue))));
      const y1 = y(scale.of(bottomValue));
      const x = plot.x((tile.first + i * step) / rate);
      context.fillRect(x, y0, Math.max(width, 1), Math.max(y1 - y0, 1.2));
      [low, high] = [bottomValue, topValue];
    }
  }
  context.globalAlpha = 1;
  context.fillStyle = inks.fault;
  for (const i of faults) {
    const x = plot.x((tile.first + i * step) / rate);
    context.fillRect(Math.round(x), top, Math.max(width, 2), bottom - top);
  }
  return faults.length;
}

function line(context, plot, { tile, pairs, rate, y, scale, from, to, width, faults }) {
  context.beginPath();
  let pen = false;
  for (let i = from; i < to; i += 1) {
    const value = pairs[2 * i];
    if (!(Math.abs(value) < Infinity)) {
      if (!Number.isNaN(value)) faults.push(i);
      pen = false;
      continue;
    }
    const x = plot.x((tile.first + i) / rate);
    const height = y(scale.of(value));
    if (pen) context.lineTo(x, height);
    else context.moveTo(x, height);
    pen = true;
    if (width > 6) context.fillRect(x - 2, height - 2, 4, 4);
  }
  context.lineWidth = 1.5;
  context.stroke();
}
