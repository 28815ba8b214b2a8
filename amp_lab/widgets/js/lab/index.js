// JupyterLab extension: outputs of our widgets show their stored picture if there is no live model.
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Hosts } from './hosts.js';
import { OutputRenderer, VIEW_TYPE } from './output_renderer.js';
import { storePictures } from './stored_pictures.js';

/** The lower rank is preferred: ipywidgets renders its own type at -10. */
const RANK = -20;

const plugin = {
  id: 'amp-lab:outputs',
  description: 'Shows widgets of amp_lab live, or as the picture that is stored with the notebook.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker, IConsoleTracker],
  activate(_app, registry, notebooks, consoles) {
    const hosts = new Hosts(notebooks, consoles);
    const shown = new Set();
    registry.addFactory(
      {
        safe: true,
        mimeTypes: [VIEW_TYPE],
        createRenderer: () => new OutputRenderer(registry, hosts, shown),
      },
      RANK,
    );
    notebooks?.widgetAdded.connect((_, panel) => storePictures(panel.context, hosts, shown));
    notebooks?.forEach((panel) => storePictures(panel.context, hosts, shown));
  },
};

export default [plugin];
