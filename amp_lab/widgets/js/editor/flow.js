// @ts-check
import { ends, height, WIDTH } from './shapes.js';

/** @typedef {import('../types').Box} Box */
/** @typedef {import('../types').GraphDocument} GraphDocument */
/** @typedef {import('../types').Line} Line */
/** @typedef {import('../types').Link} Link */

/**
 * Name of the fold that each node is in.
 * @param {GraphDocument['folds']} folds
 */
export function foldOf(folds) {
  const found = /** @type {Record<string, string>} */ ({});
  for (const [title, names] of Object.entries(folds)) for (const name of names) found[name] = title;
  return found;
}

/**
 * Ids of the boxes that show nodes: the node's own box, or that of its fold.
 * @param {string[]} names
 * @param {GraphDocument['folds']} folds
 */
export function shownAs(names, folds) {
  const fold = foldOf(folds);
  return new Set(names.map((name) => (fold[name] ? `fold:${fold[name]}` : name)));
}

/**
 * Boxes of React Flow for a document. Unchanged boxes stay the same objects; `held`: selected boxes keep their places.
 * @param {GraphDocument} document
 * @param {Record<string, import('../types').Contract>} contracts
 * @param {Box[]} before
 */
export function boxes(document, contracts, before, held = false) {
  const inHand = (/** @type {Box | undefined} */ box) => box?.dragging || (held && box?.selected);
  const known = new Map(before.map((box) => [box.id, box]));
  const fold = foldOf(document.folds);
  const result = /** @type {Box[]} */ ([]);
  for (const [name, node] of Object.entries(document.nodes)) {
    if (fold[name]) continue;
    const contract = contracts[node.type];
    const [x, y] = document.places[name] ?? [0, 0];
    const old = known.get(name);
    if (old && old.data.node === node && (inHand(old) || (old.position.x === x && old.position.y === y))) {
      result.push(old);
      continue;
    }
    result.push({
      ...(old ?? { id: name, type: 'node', selected: false }),
      position: inHand(old) ? /** @type {Box} */ (old).position : { x, y },
      width: WIDTH,
      height: height(contract),
      ariaLabel: `${name}, ${node.type}`,
      data: { name, node, contract },
    });
  }
  for (const [title, names] of Object.entries(document.folds)) {
    const id = `fold:${title}`;
    const places = names.map((name) => document.places[name] ?? [0, 0]);
    const x = Math.min(...places.map((place) => place[0]));
    const y = Math.min(...places.map((place) => place[1]));
    const old = known.get(id);
    result.push({
      ...(old ?? { id, type: 'fold', selected: false }),
      position: inHand(old) ? /** @type {Box} */ (old).position : { x, y },
      width: WIDTH,
      height: 66,
      data: { title, names },
    });
  }
  return result;
}

/**
 * Lines of React Flow: edges and modulations, without those between folded nodes.
 * @param {GraphDocument} document
 * @param {Line[]} before
 */
export function lines(document, before) {
  const known = new Map(before.map((line) => [line.id, line]));
  const fold = foldOf(document.folds);
  const result = /** @type {Line[]} */ ([]);
  /** @type {(id: string, type: string, link: Link, handle: string) => void} */
  const add = (id, type, link, handle) => {
    const [src, out] = ends(link.from);
    const [dst, into] = ends(link.to);
    if (fold[src] && fold[src] === fold[dst]) return;
    const old = known.get(id);
    const source = fold[src] ? `fold:${fold[src]}` : src;
    const target = fold[dst] ? `fold:${fold[dst]}` : dst;
    if (old && old.data.link === link && old.source === source && old.target === target) {
      result.push(old);
      return;
    }
    result.push({
      ...(old ?? { id, selected: false }),
      type,
      source,
      target,
      sourceHandle: fold[src] ? 'o:' : `o:${out}`,
      targetHandle: fold[dst] ? 'i:' : `${handle}:${into}`,
      reconnectable: !fold[src] && !fold[dst],
      ariaLabel: `${link.from} to ${link.to}`,
      data: { link },
    });
  };
  for (const [key, link] of Object.entries(document.edges)) add(`e:${key}`, 'audio', link, 'i');
  for (const [key, link] of Object.entries(document.modulations)) add(`m:${key}`, 'modulation', link, 'p');
  return result;
}

/**
 * The operation that makes a connection drawn by hand.
 * @param {{ source: string, sourceHandle: string, target: string, targetHandle: string }} ends
 */
export function connection({ source, sourceHandle, target, targetHandle }, options = {}) {
  const src = `${source}.${sourceHandle.slice(2)}`;
  const key = targetHandle.slice(2);
  return targetHandle.startsWith('p:')
    ? { op: 'modulate', src, dst: target, param: key, mode: 'add', scale: 1, ...options }
    : { op: 'connect', src, dst: target, port: key, ...options };
}

/**
 * Options of a link that are kept when it is moved to another port.
 * @param {Link} link
 * @param {boolean} toParameter
 */
export function carried(link, toParameter) {
  const keep = toParameter ? ['delay_frames', 'channel', 'mode', 'scale', 'offset'] : ['delay_frames', 'gates', 'channel', 'kappa'];
  return Object.fromEntries(keep.filter((key) => key in link).map((key) => [key, link[key]]));
}
