// Builds the JupyterLab extension: a container of module federation around one small bundle.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { container } from './lab/container.js';

const NAME = 'amp-lab';
/** Modules imported from the page, never bundled, with the releases that have what we use. */
const SHARED = {
  '@jupyterlab/console': '^4.2.0',
  '@jupyterlab/notebook': '^4.2.0',
  '@jupyterlab/rendermime': '^4.2.0',
  '@lumino/widgets': '^2.3.0',
};

/** [path, text] of every file of the extension, below its folder. */
export async function labextension(here) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(here, 'lab/index.js')],
    absWorkingDir: here,
    bundle: true,
    write: false,
    format: 'cjs',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    external: Object.keys(SHARED),
  });
  const foreign = Object.keys(metafile.inputs).filter((path) => path.includes('node_modules'));
  if (foreign.length) throw new Error(`${foreign[0]}: bundled into the extension. Ship its licence, or leave it out.`);
  const imports = Object.values(metafile.outputs)[0].imports.map(({ path }) => path);
  const script = container(NAME, [...new Set(imports)].sort(), outputFiles[0].text.trim());
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);
  const load = `static/remoteEntry.${hash}.js`;
  return [
    [load, script],
    ['package.json', json(description(here, load))],
    ['install.json', json({ packageManager: 'python', packageName: NAME, uninstallInstructions: `pip uninstall ${NAME}` })],
  ];
}

function description(here, load) {
  const project = readFileSync(join(here, '../../../pyproject.toml'), 'utf8');
  return {
    name: NAME,
    version: project.match(/^version = "(.+)"$/m)[1],
    description: 'Shows widgets of amp_lab live, or as the picture that is stored with the notebook.',
    license: 'MIT',
    dependencies: SHARED,
    jupyterlab: { extension: true, _build: { load, extension: './extension' } },
  };
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
