// The editor's copy of a graph, and the boxes and lines it draws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.js';

const { Replica } = await load('base/replica.js');
const { boxes, carried, connection, lines, shownAs } = await load('editor/flow.js');
const { ends, height, HEAD, FOOT, ROW, hue, moving, rows } = await load('editor/shapes.js');

const number = (key, rate = 'frame') => ({ key, kind: 'number', rate });
const CONTRACTS = {
  sine: { id: 'sine', group: 'sources', inputs: [], outputs: [{ key: 'out' }], params: [number('frequency_hz')] },
  gain: { id: 'gain', group: 'levels', inputs: [{ key: 'in' }], outputs: [{ key: 'out' }], params: [number('gain'), number('ramp_s', 'fixed')] },
};
const document = () => ({
  nodes: { osc: { type: 'sine' }, amp: { type: 'gain' }, out: { type: 'gain' } },
  edges: { 1: { from: 'osc.out', to: 'amp.in' }, 2: { from: 'amp.out', to: 'out.in' } },
  modulations: { 3: { from: 'osc.out', to: 'out.gain' } },
  places: { osc: [0, 0], amp: [200, 10], out: [400, 20] },
  folds: {},
});
const state = (version = 1) => ({ version, undo: 0, redo: 0, document: document() });
const patch = (base, changes = {}) => ({
  base, version: base + 1, undo: 1, redo: 0, attributes: {}, nodes: {}, edges: {}, modulations: {}, places: {}, renamed: {}, ...changes,
});

test('patches are applied in order and tables that did not change stay the same objects', () => {
  const replica = new Replica(() => assert.fail('asked for everything'));
  replica.load(state());
  const before = replica.document;
  replica.apply(patch(1, { nodes: { osc: null }, edges: { 1: null } }));
  assert.deepEqual(Object.keys(replica.document.nodes), ['amp', 'out']);
  assert.equal(replica.document.modulations, before.modulations);
  assert.deepEqual([replica.version, replica.undo, replica.redo], [2, 1, 0]);
});

test('a patch that comes twice, or before the document, changes nothing', () => {
  const replica = new Replica(() => assert.fail('asked for everything'));
  replica.apply(patch(0));
  assert.equal(replica.version, -1);
  replica.load(state(5));
  replica.apply(patch(4));
  assert.equal(replica.version, 5);
});

test('a patch that was missed makes the replica ask for the whole document', () => {
  let asked = 0;
  const replica = new Replica(() => { asked += 1; });
  replica.load(state());
  replica.apply(patch(2, { nodes: { osc: null } }));
  assert.equal(asked, 1);
  assert.ok('osc' in replica.document.nodes);
});

test('a node that is renamed keeps its place', () => {
  const replica = new Replica(() => {});
  replica.load(state());
  replica.apply(patch(1, { renamed: { osc: 'carrier' }, places: { osc: null } }));
  assert.deepEqual(replica.document.places, { carrier: [0, 0], amp: [200, 10], out: [400, 20] });
});

test('listeners hear of every change until they leave', () => {
  const replica = new Replica(() => {});
  let heard = 0;
  const leave = replica.subscribe(() => { heard += 1; });
  replica.load(state());
  replica.apply(patch(1));
  leave();
  replica.apply(patch(2));
  assert.equal(heard, 2);
});

test('boxes that did not change are the same objects', () => {
  const now = document();
  const before = boxes(now, CONTRACTS, []);
  const moved = { ...now, places: { ...now.places, amp: [250, 10] } };
  const after = boxes(moved, CONTRACTS, before);
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
  assert.deepEqual(after[1].position, { x: 250, y: 10 });
});

test('a box in the hand stays where the hand is', () => {
  const now = document();
  const before = boxes(now, CONTRACTS, []);
  before[0] = { ...before[0], dragging: true, position: { x: 7, y: 8 } };
  before[1] = { ...before[1], selected: true, position: { x: 9, y: 10 } };
  const changed = { ...now, nodes: { ...now.nodes, osc: { type: 'sine', params: {} } } };
  assert.deepEqual(boxes(changed, CONTRACTS, before)[0].position, { x: 7, y: 8 });
  assert.deepEqual(boxes(changed, CONTRACTS, before, true)[1].position, { x: 9, y: 10 });
  assert.deepEqual(boxes(changed, CONTRACTS, before, false)[1].position, { x: 200, y: 10 });
});

test('a fold is one box at its upper left node, and lines between its nodes are left out', () => {
  const now = { ...document(), folds: { voice: ['osc', 'amp'] } };
  const found = boxes(now, CONTRACTS, []);
  assert.deepEqual(found.map((box) => box.id), ['out', 'fold:voice']);
  assert.deepEqual(found[1].position, { x: 0, y: 0 });
  const drawn = lines(now, []);
  assert.deepEqual(drawn.map((line) => [line.id, line.source, line.sourceHandle, line.target, line.targetHandle]), [
    ['e:2', 'fold:voice', 'o:', 'out', 'i:in'],
    ['m:3', 'fold:voice', 'o:', 'out', 'p:gain'],
  ]);
  assert.ok(drawn.every((line) => !line.reconnectable));
  assert.deepEqual([...shownAs(['osc', 'out'], now.folds)], ['fold:voice', 'out']);
});

test('lines that did not change are the same objects', () => {
  const now = document();
  const before = lines(now, []);
  const after = lines({ ...now, edges: { ...now.edges, 1: { from: 'osc.out', to: 'amp.in', delay_frames: 1 } } }, before);
  assert.notEqual(after[0], before[0]);
  assert.equal(after[1], before[1]);
});

test('a line drawn to a port connects, to a parameter modulates', () => {
  const from = { source: 'osc', sourceHandle: 'o:out', target: 'amp' };
  assert.deepEqual(connection({ ...from, targetHandle: 'i:in' }), { op: 'connect', src: 'osc.out', dst: 'amp', port: 'in' });
  assert.deepEqual(connection({ ...from, targetHandle: 'p:gain' }, { scale: 2 }), {
    op: 'modulate', src: 'osc.out', dst: 'amp', param: 'gain', mode: 'add', scale: 2,
  });
});

test('a link that is taken elsewhere keeps what makes sense there', () => {
  const link = { from: 'a.out', to: 'b.in', delay_frames: 3, gates: [1], channel: 1, mode: 'add', scale: 2 };
  assert.deepEqual(carried(link, false), { delay_frames: 3, gates: [1], channel: 1 });
  assert.deepEqual(carried(link, true), { delay_frames: 3, channel: 1, mode: 'add', scale: 2 });
});

test('a box has a row for each port and each parameter that signals can move', () => {
  assert.deepEqual(moving(CONTRACTS.gain).map((param) => param.key), ['gain']);
  assert.equal(rows(CONTRACTS.gain), 2);
  assert.equal(height(CONTRACTS.gain), HEAD + 2 * ROW + FOOT);
  assert.deepEqual(ends('a.b.out'), ['a.b', 'out']);
  assert.ok(hue('a group of a plug-in') >= 0 && hue('a group of a plug-in') < 360);
});
