// Bundles of the widgets and of the JupyterLab extension: `node build.mjs` writes them, `--check` fails if the
// committed ones differ.
import { build } from 'esbuild';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { labextension } from './labextension.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const target = resolve(here, '../static');
const extension = resolve(here, '../../data/labextension');
const check = process.argv.includes('--check');
const LIMITS = { 'editor.js': 450_000 };
const LIMIT = 60_000;

const entries = readdirSync(here)
  .filter((folder) => folder !== 'lab')
  .flatMap((folder) => ['index.js', 'index.jsx'].map((file) => [folder, join(here, folder, file)]))
  .filter(([, path]) => existsSync(path));

const result = await build({
  entryPoints: Object.fromEntries(entries),
  absWorkingDir: here,
  outdir: target,
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  minify: true,
  jsx: 'automatic',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  alias: { 'd3-color': './editor/colours.js' },
  define: { 'process.env.NODE_ENV': '"production"' },
});

function licences(inputs) {
  const packages = new Set();
  for (const path of Object.keys(inputs)) {
    const found = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) packages.add(found[1]);
  }
  return [...packages].sort().map((name) => {
    const folder = join(here, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) return `${name} ${version} (${license})\n`;
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  }).join('\n----\n\n');
}

const files = result.outputFiles.map((file) => [join(target, basename(file.path)), file.text]);
files.push([join(target, 'LICENSES.txt'), licences(result.metafile.inputs)]);
files.push(...(await labextension(here)).map(([name, text]) => [join(extension, name), text]));
let failed = false;
for (const [path, text] of files) {
  const name = basename(path);
  const bytes = Buffer.byteLength(text);
  const limit = name.endsWith('.txt') ? Infinity : (LIMITS[name] ?? LIMIT);
  if (bytes > limit) {
    console.error(`${name}: too large (got ${bytes} bytes, allowed ${limit}). Leave something out.`);
    failed = true;
  }
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${name}: ${bytes} bytes`);
  } else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`${relative(root, path)}: differs from its sources. Run make widgets.`);
    failed = true;
  }
}
// the extension's script has its digest in its name, so a page never runs an older one out of its cache
const scripts = join(extension, 'static');
for (const name of readdirSync(scripts)) {
  const path = join(scripts, name);
  if (files.some(([known]) => known === path)) continue;
  if (!check) {
    rmSync(path);
  } else {
    console.error(`${relative(root, path)}: of older sources. Run make widgets.`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
