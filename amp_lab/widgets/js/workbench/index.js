import './workbench.css';
import { h } from '../base/dom.js';
import { withModifier } from '../base/input.js';
import { undoEntries, undoKeys } from '../base/undo.js';
import { widget } from '../base/view.js';
import { splitter } from './split.js';

const NAMES = { scope: 'Scope', spectrum: 'Spectrum', spectrogram: 'Spectrogram', thermo: 'Heat', timeline: 'Timeline' };

/** Sound on top, editor and panel in one row, the views below them; every part is the same widget as elsewhere. */
export default widget('workbench', ({ model, root, link, surface }) => {
  const manager = model.widget_manager;
  if (!manager?.create_view) {
    const parts = Object.keys(model.get('parts')).map((name) => `w.${name}`).join(', ');
    root.append(h('p', { class: 'notice', text: `This host cannot nest widgets. Show the parts of the workbench by themselves: ${parts}.` }));
    root.style.height = 'auto';
    root.dataset.ready = 'alone';
    return null;
  }
  const views = [];
  let ended = false;
  const place = async (name, pane) => {
    const part = await manager.get_model(model.get('parts')[name].replace('IPY_MODEL_', ''));
    const view = await manager.create_view(part);
    if (ended) {
      view.remove();
      return;
    }
    views.push(view);
    pane.append(view.el);
  };

  const sound = h('div', { class: 'pane sound' });
  const work = h('div', { class: 'work' });
  const upper = h('div', { class: 'upper' });
  const editor = h('div', { class: 'pane' });
  const panel = h('div', { class: 'pane' });
  const below = h('div', { class: 'pane' });
  const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views' });
  const panes = {};
  const opened = new Set();
  for (const [name, title] of Object.entries(NAMES)) {
    const tab = h('button', { role: 'tab', 'data-tab': name, text: title, onclick: () => choose(name) });
    panes[name] = h('div', { class: 'view', role: 'tabpanel', 'aria-label': title });
    tabs.append(tab);
    below.append(panes[name]);
  }
  tabs.addEventListener('keydown', (event) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || withModifier(event)) return;
    const names = Object.keys(NAMES);
    choose(names[(names.indexOf(model.get('tab')) + direction + names.length) % names.length]);
    tabs.querySelector('[aria-selected=true]').focus();
  });
  const choose = (name) => {
    model.set('tab', name);
    model.save_changes();
    show();
  };
  const show = surface.guard(async () => {
    const name = model.get('tab');
    for (const tab of tabs.children) {
      tab.setAttribute('aria-selected', String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const [key, pane] of Object.entries(panes)) pane.hidden = key !== name;
    if (opened.has(name)) return;
    opened.add(name);
    await place(name, panes[name]);
  });

  const lower = h('div', { class: 'lower' }, tabs, below);
  upper.append(editor, splitter(upper, { vertical: true, share: 0.64, moved: (part) => { upper.style.gridTemplateColumns = `${part}fr 5px ${1 - part}fr`; } }), panel);
  work.append(upper, splitter(work, { vertical: false, share: 0.62, moved: (part) => { work.style.gridTemplateRows = `${part}fr 5px ${1 - part}fr`; } }), lower);
  root.append(sound, work);
  undoKeys(root, link);
  root.menu = () => undoEntries(link);
  model.on('change:tab', show);
  surface.guard(async () => {
    await Promise.all([place('live', sound), place('editor', editor), place('panel', panel), show()]);
    root.dataset.ready = 'true';
  })();
  return () => {
    ended = true;
    model.off('change:tab', show);
    for (const view of views) view.remove();
  };
});
