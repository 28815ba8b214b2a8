// Sizes of the box of a node: those of amp_lab/plots/graph_layout.py.
export const WIDTH = 184;
export const ROW = 20;
export const HEAD = 34;
export const FOOT = 6;

const HUES = { source: 210, control: 286, filter: 160, amplitude: 32, dynamics: 8, routing: 190, utility: 225, output: 350 };

/** Colour of a group of node types; groups this page has never heard of get one too. */
export function hue(group) {
  return HUES[group] ?? [...group].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
}

/** Parameters that signals can move: they have a handle of their own. */
export function moving(contract) {
  return contract.params.filter((param) => param.kind === 'number' && param.rate === 'frame');
}

export function rows(contract) {
  return Math.max(contract.inputs.length, contract.outputs.length) + moving(contract).length;
}

export function height(contract) {
  return HEAD + ROW * rows(contract) + FOOT;
}

/** "osc.out" -> ["osc", "out"]. */
export function ends(text) {
  const dot = text.lastIndexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}
