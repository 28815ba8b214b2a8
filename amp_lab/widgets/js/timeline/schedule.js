// @ts-check
const BYTES = 16;

/** @typedef {{ left: number, right: number, top: number, bottom: number, x: (value: number) => number }} Area */
/**
 * @typedef {{ first: number, last: number, columns: number }} Span
 * @typedef {Span & { bars: true, list: ReturnType<typeof readBars>, load: null }} Bars
 * @typedef {Span & { bars: false, list: null, load: Uint8Array }} Load
 * @typedef {Bars | Load} Firings
 */

/**
 * Decode firings: {row, frames, start, length, frame} each.
 * @param {DataView} view
 */
export function readBars(view) {
  const bars = [];
  for (let at = 0; at + BYTES <= view.byteLength; at += BYTES) {
    bars.push({
      row: view.getUint16(at, true),
      frames: view.getUint16(at + 2, true),
      start: view.getFloat32(at + 4, true),
      length: view.getFloat32(at + 8, true),
      frame: view.getFloat32(at + 12, true),
    });
  }
  return bars;
}

/**
 * Firings in wall time: single bars if they can be told apart, otherwise the load of each node.
 * @param {CanvasRenderingContext2D} context
 * @param {Area} plot
 * @param {{ firings: Firings, colours: string[], top: number, high: number }} what
 */
export function drawSchedule(context, plot, { firings, colours, top, high }) {
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  context.clip();
  if (firings.bars) {
    for (const bar of firings.list) {
      const x = plot.x(firings.first + bar.start);
      const width = plot.x(firings.first + bar.start + bar.length) - x;
      context.fillStyle = colours[bar.row];
      context.fillRect(x, top + bar.row * high + 2, Math.max(width, 1), high - 4);
      if (width > 46 && high >= 12) {
        context.fillStyle = '#fff';
        context.textAlign = 'left';
        context.font = '10px system-ui, sans-serif';
        context.fillText(`n = ${bar.frame}`, x + 4, top + (bar.row + 0.5) * high + 3.5);
      }
    }
  } else {
    const step = (firings.last - firings.first) / firings.columns;
    const width = plot.x(firings.first + step) - plot.x(firings.first);
    firings.load.forEach((value, index) => {
      if (!value) return;
      const row = Math.floor(index / firings.columns);
      context.globalAlpha = 0.15 + (0.85 * value) / 255;
      context.fillStyle = colours[row];
      context.fillRect(plot.x(firings.first + (index % firings.columns) * step), top + row * high + 2, width + 0.5, high - 4);
    });
    context.globalAlpha = 1;
  }
  context.restore();
}
