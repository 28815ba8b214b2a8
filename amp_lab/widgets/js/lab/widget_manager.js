export const WIDGET_TYPE = 'application/vnd.jupyter.widget-view+json';

/**
 * The manager of ipywidgets that belongs to a registry of renderers, or null if it has none.
 *
 * ipywidgets passes its manager only to its own renderers, so one is created and its manager is read; the promise is
 * pending until there is one. Another release may store it elsewhere: the result is then null, and the caller lets
 * ipywidgets render.
 */
export async function widgetManager(rendermime) {
  if (!rendermime.getFactory(WIDGET_TYPE)) return null;
  const renderer = rendermime.createRenderer(WIDGET_TYPE);
  const manager = await renderer._manager?.promise;
  renderer.dispose();
  return manager?.has_model ? manager : null;
}

/** The live model with this id, or null: after a restart of the kernel managers still have models without a kernel. */
export async function liveModel(manager, id) {
  if (!manager.has_model(id)) return null;
  const model = await manager.get_model(id);
  return model.comm_live ? model : null;
}
