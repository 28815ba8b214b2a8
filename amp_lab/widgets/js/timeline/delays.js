import { number } from '../base/format.js';

/** Virtual time: waits at gates, declared starts and latencies, measured latencies, frames in edges, the path of a token. */
export function drawDelays(context, plot, inks, { plan, colours, top, high }) {
  const row = Object.fromEntries(plan.nodes.map((node, index) => [node.name, index]));
  const y = (name) => top + (row[name] + 0.5) * high;
  const thick = Math.max(3, Math.min(high * 0.5, 12));
  context.save();
  context.beginPath();
  context.rect(plot.left - 4, plot.top, plot.right - plot.left + 8, plot.bottom - plot.top);
  context.clip();
  for (const ring of plan.rings) hold(context, plot, inks, ring, y);
  plan.nodes.forEach((node, index) => {
    const middle = top + (index + 0.5) * high;
    if (node.ready < node.start) bar(context, plot, inks.gold, node.ready, node.start, middle, thick * 0.5);
    if (node.latency) bar(context, plot, colours[index], node.start, node.start + node.latency, middle, thick);
    context.fillStyle = colours[index];
    context.fillRect(plot.x(node.start) - 1.5, middle - thick, 3, 2 * thick);
    measured(context, plot, inks, node, middle);
  });
  for (const ring of plan.rings) held(context, plot, inks, ring, y, high);
  way(context, plot, inks, plan.path, y);
  context.restore();
}

function bar(context, plot, colour, from, to, middle, thick) {
  context.fillStyle = colour;
  context.globalAlpha = 0.75;
  context.fillRect(plot.x(from), middle - thick / 2, Math.max(plot.x(to) - plot.x(from), 1), thick);
  context.globalAlpha = 1;
}

function measured(context, plot, inks, node, middle) {
  const late = node.measured_latency;
  const differs = (node.measured_start !== null && node.measured_start !== node.start) || (late !== null && late !== node.latency);
  const x = plot.x((node.measured_start ?? node.start) + (late ?? node.latency));
  context.beginPath();
  context.arc(x, middle, 3.5, 0, 7);
  context.strokeStyle = differs ? inks.fault : inks.good;
  context.lineWidth = 1.6;
  context.stroke();
  if (!node.latency && !node.start && !differs) return;
  context.fillStyle = differs ? inks.fault : inks.muted;
  context.textAlign = 'left';
  context.font = '10px system-ui, sans-serif';
  const said = `A ${number(node.start)}  L ${number(node.latency)}`;
  context.fillText(differs ? `${said}, measured ${number(node.measured_start ?? node.start)} and ${number(late ?? node.latency)}` : said, x + 9, middle + 3.5);
}

/** An edge that holds frames: from where a token enters it to where it is read. */
function hold(context, plot, inks, ring, y) {
  const [x0, x1] = [plot.x(ring.enters), plot.x(ring.read)];
  context.strokeStyle = ring.feedback ? inks.warm : inks.sky;
  context.lineWidth = Math.min(8, 1.5 + Math.log2(1 + ring.held) * 0.6);
  context.globalAlpha = 0.4;
  context.beginPath();
  context.moveTo(x0, y(ring.src));
  context.bezierCurveTo(x0 + 14, (y(ring.src) + y(ring.dst)) / 2, x1 - 14, (y(ring.src) + y(ring.dst)) / 2, x1, y(ring.dst));
  context.stroke();
  context.globalAlpha = 1;
}

/** Number of frames that an edge holds, near its end, between two rows, whose bars are centred. */
function held(context, plot, inks, ring, y, high) {
  const [x0, x1, from, to] = [plot.x(ring.enters), plot.x(ring.read), y(ring.src), y(ring.dst)];
  const rows = Math.round((0.74 * (to - from)) / high - 0.5) + 0.5;
  context.fillStyle = inks.muted;
  context.font = '10px system-ui, sans-serif';
  context.textAlign = 'center';
  context.fillText(ring.delay ? `holds ${ring.held} (z⁻${ring.delay})` : `holds ${ring.held}`, x0 + 0.8 * (x1 - x0), from + rows * high + 3.5);
}

function way(context, plot, inks, path, y) {
  context.beginPath();
  for (const [name, fired, read] of path) {
    context.lineTo(plot.x(fired), y(name));
    context.lineTo(plot.x(read), y(name));
  }
  context.strokeStyle = inks.warm;
  context.lineWidth = 1.4;
  context.setLineDash([5, 3]);
  context.stroke();
  context.setLineDash([]);
}
