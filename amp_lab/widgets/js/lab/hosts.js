/** The notebooks and consoles of the page, found by their registries of renderers: each has its own. */
export class Hosts {
  constructor(notebooks, consoles) {
    this.trackers = [
      [notebooks, (panel) => panel.content.rendermime],
      [consoles, (panel) => panel.console.rendermime],
    ].filter(([tracker]) => tracker);
  }

  /** The panel that renders with this registry, or undefined. */
  panel(rendermime) {
    for (const [tracker, of] of this.trackers) {
      const panel = tracker.find((candidate) => of(candidate) === rendermime);
      if (panel) return panel;
    }
    return undefined;
  }
}

/** The registry of renderers of the output area that contains a widget, or null. */
export function rendermimeOf(widget) {
  for (let place = widget.parent; place; place = place.parent) {
    if (place.rendermime) return place.rendermime;
  }
  return null;
}
