// @ts-check
/**
 * Text of the script that JupyterLab loads: a container as module federation defines it (`init`, `get`).
 *
 * The page calls `init` with its table of shared modules, {name: {version: {get, loaded}}}. `get` resolves with a
 * factory of the plugins after the shared modules that they import are loaded.
 * @param {string} name
 * @param {string[]} imports
 * @param {string} code
 */
export function container(name, imports, code) {
  return `(() => {
'use strict';
const imports = ${JSON.stringify(imports)};
let table = {};
const newest = (a, b) => b.localeCompare(a, 'en', { numeric: true });
async function shared(name) {
  const versions = Object.keys(table[name] ?? {}).sort(newest);
  if (!versions.length) throw new Error('amp-lab: JupyterLab does not share ' + name + '.');
  const version = versions.find((key) => table[name][key].loaded) ?? versions[0];
  return [name, (await table[name][version].get())()];
}
async function plugins() {
  const modules = Object.fromEntries(await Promise.all(imports.map(shared)));
  const module = { exports: {} };
  ((require, module, exports) => {
${code}
  })((name) => modules[name], module, module.exports);
  return () => module.exports;
}
window._JUPYTERLAB = window._JUPYTERLAB ?? {};
window._JUPYTERLAB[${JSON.stringify(name)}] = { init: (scope) => { table = scope; }, get: plugins };
})();
`;
}
