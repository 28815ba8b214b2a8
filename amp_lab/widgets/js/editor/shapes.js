// @ts-check
// A file shared with Python: sizes of the boxes of nodes, and the hue of each group of node types.
import boxes from '../../../data/node_boxes.json';

export const { width: WIDTH, row: ROW, head: HEAD, foot: FOOT } = boxes;

/**
 * Colour of a group of node types; unknown groups get one, too.
 * @param {string} group
 */
export function hue(group) {
  return /** @type {Record<string, number>} */ (boxes.hues)[group] ?? [...group].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
}

/**
 * Parameters that can be modulated: each has a handle.
 * @param {import('../types').Contract} contract
 */
export function moving(contract) {
  return contract.params.filter((param) => param.kind === 'number' && param.rate === 'frame');
}

/** @param {import('../types').Contract} contract */
export function rows(contract) {
  return Math.max(contract.inputs.length, contract.outputs.length) + moving(contract).length;
}

/** @param {import('../types').Contract} contract */
export function height(contract) {
  return HEAD + ROW * rows(contract) + FOOT;
}

/**
 * "osc.out" -> ["osc", "out"].
 * @param {string} text
 */
export function ends(text) {
  const dot = text.lastIndexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}
