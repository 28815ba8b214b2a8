// Modules as the bundles hold them: styles left out, JSON read in; nothing is written.
import { build } from 'esbuild';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Import a module of the widgets by its path below `js/`. */
export async function load(path) {
  const { outputFiles } = await build({
    entryPoints: [resolve(root, path)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    loader: { '.css': 'empty' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}

/** A model of anywidget without a page: what is sent is in `sent`; `hear(message)` is a message of Python. */
export class Model {
  constructor(traits = {}) {
    this.traits = traits;
    this.sent = [];
    this.handlers = new Map();
  }

  get(key) {
    return this.traits[key];
  }

  on(event, handler) {
    this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler]);
  }

  off(event, handler) {
    this.handlers.set(event, (this.handlers.get(event) ?? []).filter((one) => one !== handler));
  }

  emit(event, ...parameters) {
    for (const handler of this.handlers.get(event) ?? []) handler(...parameters);
  }

  send(content) {
    this.sent.push(content);
  }

  hear(message, buffers = []) {
    this.emit('msg:custom', message, buffers);
  }
}
