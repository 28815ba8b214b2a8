import './timeline.css';
import '../base/bar.css';
import { h } from '../base/dom.js';
import { fine, number, si } from '../base/format.js';
import { Latest } from '../base/latest.js';
import { Plot } from '../base/plot.js';
import { Rows } from '../base/rows.js';
import { onTraits } from '../base/signals.js';
import { onTheme } from '../base/theme.js';
import { widget } from '../base/view.js';
import { drawDelays } from './delays.js';
import { drawSchedule, readBars } from './schedule.js';

const ROW = 19;

export default widget('timeline', ({ model, root, link, surface }) => {
  let plan = null;
  let firings = null;
  const open = (tab) => {
    model.set('tab', tab);
    model.save_changes();
    show();
  };
  const tabs = ['schedule', 'delays'].map((tab) => h('button', { role: 'tab', text: tab === 'schedule' ? 'Schedule' : 'Delays', 'data-tab': tab, onclick: () => open(tab) }));
  const readout = h('output', { class: 'readout' });
  const title = h('span', { class: 'readout' });
  const whole = h('button', { title: 'Show everything (Home)', onclick: () => plot.reset() }, 'All');
  const save = h('button', { title: 'A file for ui.perfetto.dev and chrome://tracing', onclick: surface.guard(() => download()) }, 'Save trace');
  const nothing = h('div', { class: 'nothing', text: 'This render has no trace. Render with trace=True to see when its nodes fire.' });
  const plot = new Plot(root, {
    label: 'Timeline of the nodes',
    pad: { left: 118 },
    draw: (context, on, inks) => plan && draw(context, on, inks),
    moved: () => fetch(),
    hovered: (value) => showReadout(value),
  });
  const rows = new Rows(model, plot);
  const scroll = h('div', { class: 'scroll' }, plot.element, nothing);
  plot.refresh = () => fetch();
  const schedule = () => model.get('tab') === 'schedule';

  const load = surface.guard(async () => {
    const { message } = await link.ask('plan');
    if (message.empty) return;
    plan = message;
    firings = null;
    show();
  });
  const newest = new Latest(async (request) => {
    const { message, buffers } = await link.ask('firings', request);
    if (message.version !== plan?.version) return;
    const view = buffers[0];
    firings = { ...message, list: message.bars ? readBars(view) : [], load: message.bars ? [] : new Uint8Array(view.buffer, view.byteOffset, view.byteLength) };
    root.dataset.firings = message.count;
    plot.ask();
  });
  const fetch = () => {
    if (!plan?.traced || !schedule() || !plot.canvas.width) return;
    newest.push({ first: plot.view[0], last: plot.view[1], columns: plot.columns }).catch((error) => surface.show(error));
  };

  const show = () => {
    if (!plan) return;
    for (const tab of tabs) tab.setAttribute('aria-selected', String(tab.dataset.tab === model.get('tab')));
    const empty = schedule() && !plan.traced;
    nothing.hidden = !empty;
    plot.element.hidden = empty;
    save.disabled = !plan.traced;
    plot.element.style.minHeight = `${plan.nodes.length * 12 + 40}px`;
    if (schedule()) plot.bounds(0, Math.max(plan.wall_s, 1e-9), 2e-7);
    else {
      const ends = plan.nodes.map((node) => node.start + Math.max(node.latency, node.measured_latency ?? 0));
      const far = Math.max(8, plan.latency_frames, ...ends, ...plan.rings.map((ring) => ring.read), ...plan.path.map((step) => step[2]));
      plot.bounds(-far * 0.04, far * 1.3, 4);
    }
    plot.reset();
    const loops = plan.components.length;
    title.textContent = `${plan.nodes.length} nodes${loops ? `, ${loops} loop${loops > 1 ? 's' : ''}` : ''}, latency ${plan.latency_frames} frames${plan.dropped ? `, ${plan.dropped} firings lost` : ''}`;
    root.dataset.ready = model.get('tab');
    plot.ask();
  };

  const draw = (context, on, inks) => {
    const names = plan.nodes.map((node) => node.name);
    const high = Math.min(ROW * 1.6, (on.bottom - on.top) / Math.max(names.length, 1));
    const palette = ['accent', 'good', 'modulation', 'sky', 'violet', 'gold', 'audio', 'warm'].map((key) => inks[key]);
    const types = [...new Set(plan.nodes.map((node) => node.type))];
    const colours = plan.nodes.map((node) => (node.loop ? inks.warm : palette[types.indexOf(node.type) % palette.length]));
    rows.label(context, inks, names, on.top, high);
    on.axis(context, schedule() ? wall : (value) => `${number(value)}`, inks);
    if (schedule()) {
      if (firings) drawSchedule(context, on, { firings, colours, top: on.top, high });
    } else drawDelays(context, on, inks, { plan, colours, top: on.top, high });
    context.textAlign = 'right';
    context.font = '10px system-ui, sans-serif';
    context.fillStyle = inks.muted;
    context.fillText(schedule() ? 'wall time' : 'frames of virtual time', on.left - 8, on.bottom + 15);
  };
  const wall = (seconds) => fine(seconds, plot.view[1] - plot.view[0]);
  const showReadout = (value) => {
    const node = plan?.nodes.find((one) => one.name === model.get('hovered'));
    const parts = [];
    if (node) parts.push(`${node.name} (${node.type})`, `${si(node.seconds, 's')} in all`, `A ${node.start}, L ${node.latency}`);
    if (node?.gates.length) parts.push(`gates ${node.gates.join(', ')}`);
    if (value !== null) parts.push(schedule() ? wall(value) : `${Math.round(value)} frames`);
    readout.textContent = parts.join('   ');
  };
  const download = async () => {
    const { message, buffers } = await link.ask('trace');
    const address = URL.createObjectURL(new Blob([buffers[0]], { type: 'application/json' }));
    h('a', { href: address, download: message.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  root.append(h('div', { class: 'bar-head' }, h('span', { role: 'tablist' }, ...tabs), title, h('span', { class: 'gap' }), readout, whole, save), scroll);
  const stops = [
    onTraits(model, ['version'], load),
    onTraits(model, ['tab'], show),
    onTraits(model, ['hovered', 'selected'], () => plot.ask()),
    onTheme(() => plot.ask()),
  ];
  root.plot = plot;
  load();
  return () => {
    stops.forEach((stop) => stop());
    rows.close();
    plot.close();
  };
});
