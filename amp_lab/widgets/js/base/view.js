import './theme.css';
import { h } from './dom.js';
import { divideInput } from './input.js';
import { KernelLink } from './link.js';
import { Surface } from './surface.js';
import { followTheme } from './theme.js';

/** The module that anywidget loads: `setup({model, root, link, surface})` fills the root and returns a function that ends it. */
export function widget(name, setup) {
  return {
    render({ model, el }) {
      const root = h('div', { class: `amp amp-${name}`, tabindex: '-1' });
      const size = () => root.style.setProperty('height', `${model.get('height')}px`);
      const link = new KernelLink(model);
      const surface = new Surface(root);
      const stops = [followTheme(root), divideInput(root)];
      let end = null;
      size();
      el.append(root);
      root.link = link;
      link.on('failed', (error) => surface.show(error));
      link.onLost((loss) => surface.lose(loss));
      model.on('change:height', size);
      const crashed = () => surface.crash(model.get('crash'));
      model.on('change:crash', crashed);
      try {
        end = setup({ model, root, link, surface });
        crashed();
        if (link.lost) surface.lose(link.lost);
      } catch (error) {
        surface.show(error);
      }
      return () => {
        end?.();
        stops.forEach((stop) => stop());
        link.close();
        model.off('change:height', size);
        model.off('change:crash', crashed);
        root.remove();
      };
    },
  };
}
