import { Panel, Widget } from '@lumino/widgets';
import { rendermimeOf } from './hosts.js';
import { liveModel, widgetManager, WIDGET_TYPE } from './widget_manager.js';

/** Marks an output as ours; other hosts do not know this type and render another type of the output. */
export const VIEW_TYPE = 'application/vnd.amp-lab.view+json';

const STORED = 'Picture stored with the notebook. Run the cell to make it live.';
/** Time in ms in which an existing model shows its view: a picture shown before would only flicker. */
const PATIENCE = 250;
const CLOSED = 'The widget was closed. Run the cell to open it again.';

/**
 * Renders one output: the view of the live model, if the kernel has it, otherwise the picture stored in the output.
 *
 * The model may appear later, after the kernel has started or its widgets are restored; until then the picture is shown.
 */
export class OutputRenderer extends Panel {
  constructor(registry, hosts, shown) {
    super();
    this.registry = registry;
    this.hosts = hosts;
    this.shown = shown;
    this.output = null; // the model of the output, which the notebook stores
    this.model = null; // the live model of the widget
    this.view = null; // the view of that model, as a Lumino widget
    this.rendermime = null; // registry of renderers of the panel with the output
    this.manager = null;
    this.session = null;
    this.wait = 0; // timer until the picture is shown
    this.search = 0; // number of the newest search; it makes older ones stop
    shown.add(this);
  }

  get id() {
    return this.output?.data[WIDGET_TYPE]?.model_id ?? '';
  }

  async renderModel(output) {
    const same = this.output?.data[WIDGET_TYPE]?.model_id === output.data[WIDGET_TYPE]?.model_id;
    this.output = output;
    if (this.view && same && output.trusted) return;
    this.#clear();
    if (!output.trusted || !this.id) {
      await this.#showPicture(STORED);
      return;
    }
    this.wait = setTimeout(() => this.#showPicture(STORED), PATIENCE);
    if (this.isAttached) await this.#look();
  }

  onAfterAttach(message) {
    super.onAfterAttach(message);
    this.#look();
  }

  dispose() {
    if (this.isDisposed) return;
    this.shown.delete(this);
    this.#clear();
    this.manager?.restored.disconnect(this.#tryView, this);
    this.session?.kernelChanged.disconnect(this.#look, this);
    super.dispose();
  }

  /** Find the manager, then the model; both may appear later. */
  async #look() {
    this.rendermime = rendermimeOf(this) ?? this.rendermime;
    if (this.view || !this.rendermime || !this.output?.trusted || !this.id) return;
    const search = (this.search += 1);
    await this.#sessionReady();
    const manager = await widgetManager(this.rendermime);
    if (search !== this.search || this.isDisposed) return;
    if (!manager) {
      this.#letIpywidgetsRender();
      return;
    }
    if (this.manager !== manager) {
      this.manager?.restored.disconnect(this.#tryView, this);
      this.manager = manager;
      manager.restored.connect(this.#tryView, this);
    }
    await this.#tryView();
  }

  /** Wait for the session of the panel: its registry has no manager before. */
  async #sessionReady() {
    const session = this.hosts.panel(this.rendermime)?.sessionContext;
    if (!session) return;
    if (this.session !== session) {
      this.session?.kernelChanged.disconnect(this.#look, this);
      this.session = session;
      session.kernelChanged.connect(this.#look, this);
    }
    await session.ready;
    await new Promise((done) => setTimeout(done)); // ipywidgets waits for the same promise
  }

  async #tryView() {
    if (this.view) return;
    const search = (this.search += 1);
    const model = await liveModel(this.manager, this.id);
    if (!model || search !== this.search) return;
    const view = await this.manager.create_view(model);
    if (search !== this.search) {
      view.remove();
      return;
    }
    clearTimeout(this.wait);
    this.model = model;
    this.view = view.luminoWidget ?? view.pWidget;
    this.#empty();
    this.addWidget(this.view);
    this.view.disposed.connect(this.#ended, this);
  }

  #ended(view) {
    if (this.isDisposed || this.view !== view) return;
    this.#clear();
    this.#showPicture(CLOSED);
  }

  #letIpywidgetsRender() {
    if (!this.rendermime.getFactory(WIDGET_TYPE)) return;
    clearTimeout(this.wait);
    const renderer = this.rendermime.createRenderer(WIDGET_TYPE);
    this.#empty();
    this.addWidget(renderer);
    renderer.renderModel(this.output);
  }

  /** Show what another host would show: the best of the other safe types of the output. */
  async #showPicture(line) {
    const { [VIEW_TYPE]: _, ...others } = this.output.data;
    const type = this.registry.preferredMimeType(others, 'ensure');
    this.#empty();
    if (type) {
      const picture = this.registry.createRenderer(type);
      picture.addClass('amp-stored-picture');
      this.addWidget(picture);
      await picture.renderModel(this.output);
      if (picture.isDisposed) return;
    }
    this.addWidget(note(line));
  }

  #clear() {
    clearTimeout(this.wait);
    this.search += 1;
    this.view = null;
    this.model = null;
  }

  #empty() {
    for (const child of [...this.widgets]) child.dispose();
  }
}

function note(text) {
  const widget = new Widget();
  widget.addClass('amp-stored-note');
  widget.node.textContent = text;
  widget.node.setAttribute('role', 'note');
  Object.assign(widget.node.style, {
    color: 'var(--jp-ui-font-color2)',
    fontFamily: 'var(--jp-ui-font-family)',
    fontSize: 'var(--jp-ui-font-size1)',
    padding: '2px 0 4px',
  });
  return widget;
}
