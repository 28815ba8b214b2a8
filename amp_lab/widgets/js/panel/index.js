import './panel.css';
import { h } from '../base/dom.js';
import { number, si } from '../base/format.js';
import { Replica } from '../base/replica.js';
import { Latest } from '../base/latest.js';
import { onTheme } from '../base/theme.js';
import { undoEntries, undoKeys } from '../base/undo.js';
import { widget } from '../base/view.js';
import { Curves } from './curves.js';
import { Cards } from './params.js';
import { Perform } from './perform.js';
import { Player } from './player.js';
import { Strip } from './strip.js';
import { travel } from './travel.js';

export default widget('panel', ({ model, root, link, surface }) => {
  const replica = new Replica(() => link.send('hello'));
  const edit = async (ops, gesture = null) => {
    try {
      await link.ask('edit', { ops, gesture });
      surface.clear();
    } catch (error) {
      surface.show(error);
      refresh();
    }
  };
  const sendCurves = new Latest(({ curves, gesture }) => edit([{ op: 'curves', curves }], gesture));
  const desk = {
    edit,
    curves(curves, gesture, seconds) {
      sendCurves.push({ curves, gesture });
      if (seconds) set('seconds', Number(Math.max(seconds, 0.1).toFixed(2)));
    },
    openCurve: (name) => curves.open(name),
    follow(name, param, value) {
      const title = `${name}_${param.key}`;
      const points = [[0, value], [model.get('seconds'), value]];
      edit([
        { op: 'curves', curves: { [title]: { interpolation: 'linear', points } } },
        { op: 'set', node: name, params: { [param.key]: { curve: title } } },
      ]).then(() => curves.open(title));
    },
  };
  const set = (key, value) => {
    model.set(key, value);
    model.save_changes();
  };

  const title = h('b', { class: 'title' });
  const search = h('input', { type: 'search', placeholder: 'Search parameters', 'aria-label': 'Search parameters', oninput: () => cards.filter(search.value) });
  const seconds = h('input', { type: 'text', class: 'number', 'aria-label': 'Length in seconds', onchange: () => {
    const given = Number(seconds.value);
    if (given >= 0.001 && given <= 3600) set('seconds', given);
    traits();
  } });
  const auto = h('input', { type: 'checkbox', onchange: () => set('auto', auto.checked) });
  const play = h('button', { class: 'play', disabled: true, onclick: surface.guard(() => toggle()) });
  const gain = h('span', { class: 'gain' });
  const undo = h('button', { class: 'amp-icon', title: 'Undo', 'aria-label': 'Undo', onclick: () => link.send('undo') }, '↶');
  const redo = h('button', { class: 'amp-icon', title: 'Redo', 'aria-label': 'Redo', onclick: () => link.send('redo') }, '↷');
  const render = h('button', { title: 'Render now', onclick: () => link.send('render') }, 'Render');
  const state = h('output', { class: 'state', 'aria-live': 'polite' });
  const clips = h('output', { class: 'clips', 'aria-live': 'polite' });
  const bar = h('progress', { max: 1, 'aria-label': 'Render' });
  const part = h('span', { class: 'part' });
  const running = h('span', { class: 'running', hidden: true }, bar, part,
    h('button', { class: 'stop', title: 'Stop this render; the one before stays', onclick: () => link.send('stop') }, 'Stop render'));
  const strip = new Strip(root);
  const curves = new Curves(root, desk);
  const perform = new Perform(desk);
  let cards = null;
  let contracts = {};

  const progress = (on) => {
    running.hidden = !on;
    state.hidden = on;
    root.toggleAttribute('data-rendering', on);
  };
  const player = new Player(() => shown());
  const shown = () => {
    play.replaceChildren(h('span', { 'aria-hidden': 'true', text: player.playing ? '■ ' : '▶ ' }), player.playing ? 'Stop playing' : 'Play render');
    strip.play(player.part);
    if (player.playing) requestAnimationFrame(shown);
  };
  const toggle = async () => {
    if (player.playing) player.stop();
    else {
      const { message, buffers } = await link.ask('sound');
      await player.play(buffers.map(floats), message.sample_rate, message.gain);
    }
    shown();
  };

  const traits = () => {
    seconds.value = number(model.get('seconds'));
    auto.checked = model.get('auto');
    refresh();
  };
  const refresh = () => {
    if (!cards) return;
    title.textContent = replica.document.name;
    undo.disabled = !replica.undo;
    redo.disabled = !replica.redo;
    cards.show(replica.document);
    curves.show(replica.document.controls, model.get('seconds'));
    perform.show(ranges(replica.document, contracts));
  };

  link.on('state', surface.guard((message) => {
    if (!cards && !message.catalogue) return;
    replica.load(message);
    if (!cards) {
      contracts = Object.fromEntries(message.catalogue.map((contract) => [contract.id, contract]));
      curves.offer(message.interpolations);
      cards = new Cards(contracts, desk);
      root.append(
        h('div', { class: 'toolbar' }, title, search, h('span', { class: 'gap' }), undo, redo,
          h('label', {}, auto, ' render edits'), h('label', {}, seconds, ' s'), render),
        h('div', { class: 'toolbar result' }, play, gain, h('span', { class: 'gap' }), clips, state, running),
        strip.element,
        h('div', { class: 'body' }, cards.element),
        h('details', { class: 'dock', open: model.get('height') >= 480 }, h('summary', { text: 'Curves and performance' }),
          h('div', { class: 'docked' }, curves.element, perform.element)),
      );
      link.send('render');
    }
    traits();
    root.dataset.ready = 'true';
  }));
  link.on('patch', surface.guard((patch) => {
    replica.apply(patch);
    refresh();
  }));
  link.on('progress', ({ done, frames }) => {
    bar.value = done / frames;
    part.textContent = `${Math.floor((100 * done) / frames)} %`;
    progress(true);
  });
  link.on('stopped', () => {
    progress(false);
    state.className = 'state halted';
    state.textContent = 'stopped; the render before stays';
  });
  link.on('rendered', surface.guard((message, buffers) => {
    progress(false);
    strip.show(buffers.map(floats));
    play.disabled = !message.frames;
    gain.textContent = levelText(message);
    clips.textContent = message.clips;
    clips.title = message.clips;
    const peak = message.peak ? `${message.peak > 1 ? '+' : ''}${(20 * Math.log10(message.peak)).toFixed(1)} dBFS` : 'silent';
    state.className = message.clips ? 'state clipped' : 'state';
    state.textContent = `${message.digest.slice(0, 8)} · ${peak} · ${si(message.render_s, 's')}`;
    state.title = `SHA-256 ${message.digest}`;
    root.dataset.digest = message.digest;
    root.dataset.rendered = message.version;
  }));
  link.on('unrendered', (error) => {
    progress(false);
    state.className = 'state bad';
    state.textContent = error.message;
    state.title = error.stack || error.message;
    delete root.dataset.digest;
  });
  link.onLost((loss) => { if (loss) player.stop(); });
  for (const key of ['seconds', 'auto']) model.on(`change:${key}`, traits);
  const stopTheme = onTheme(() => { strip.canvas.ask(); curves.canvas.ask(); });
  surface.go = (name) => cards?.reveal(name);
  shown();
  undoKeys(root, link);
  root.menu = ({ target }) => cards && [
    ...cards.entries(target),
    ...undoEntries(link),
    null,
    { text: player.playing ? 'Stop playing' : 'Play render', disabled: play.disabled, run: surface.guard(toggle) },
    { text: 'Render now', run: () => link.send('render') },
  ];
  root.replica = replica;
  link.send('hello', { catalogue: true });
  return () => {
    for (const key of ['seconds', 'auto']) model.off(`change:${key}`, traits);
    stopTheme();
    player.close();
    cards?.close();
    perform.close();
    strip.canvas.close();
    curves.canvas.close();
  };
});

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** How a render is played: the gain that keeps it within full scale, and which part of a long one. */
function levelText({ gain, heard_s: heard, frames, sample_rate: rate }) {
  const level = gain < 1 ? `plays with gain ${(20 * Math.log10(gain)).toFixed(1)} dB, so as not to clip` : 'plays with gain 0 dB';
  return heard * rate < frames ? `${level}, the first ${number(heard)} s` : level;
}

/** Names of the curves that nodes follow, with the range of useful values. */
function ranges({ nodes, controls }, contracts) {
  const found = {};
  for (const [name, curve] of Object.entries(controls?.curves ?? {})) {
    const values = curve.points.map((point) => point[1]);
    found[name] = [Math.min(...values, 0), Math.max(...values, 1), false];
  }
  for (const node of Object.values(nodes)) {
    for (const param of contracts[node.type].params) {
      const follows = node.params?.[param.key]?.curve;
      if (!follows || param.kind !== 'number') continue;
      const range = travel(param, param.default);
      found[follows] = [range.low, range.high, range.log];
    }
  }
  return found;
}
