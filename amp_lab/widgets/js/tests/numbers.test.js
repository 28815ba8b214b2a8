// Numbers as they are written, sliders, tiles of a zoom, firings from the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.js';

const { brief, fine, number, si } = await load('base/format.js');
const { toPosition, toValue, travel } = await load('panel/travel.js');
const { Tiles } = await load('scope/tiles.js');
const { readBars } = await load('timeline/schedule.js');
const { PALETTE } = await load('base/palette.js');

test('numbers are as short as four significant digits go', () => {
  const cases = [[0.61803399, '0.618'], [440, '440'], [1.2e-5, '1.2e-5'], [0, '0'], [48000.4, '48000.4'], [-2.71234, '-2.712'], [2.5e9, '2.5e+9'], [NaN, 'NaN'], ['saw', 'saw']];
  for (const [value, text] of cases) assert.equal(number(value), text);
});

test('units get the prefix that keeps the number near one', () => {
  assert.equal(si(0.00012, 's'), '120 µs');
  assert.equal(si(48_000, 'Hz'), '48 kHz');
  assert.equal(si(-0.5, 's'), '-500 ms');
  assert.equal(si(0, 's'), '0 s');
  assert.equal(si(1e-12, 's'), '0.001 ns');
});

test('a time has as many digits as the width of the view can tell apart', () => {
  assert.equal(fine(1.23456, 10), '1.2 s');
  assert.equal(fine(1.23456, 0.001), '1.23456 s');
  assert.equal(fine(0.001234, 0.0001), '1.234 ms');
  assert.equal(fine(0, 1e-8), '0 µs');
});

test('a parameter is told in a few characters, whatever it holds', () => {
  assert.equal(brief(undefined), '');
  assert.equal(brief(440, 'Hz'), '440 Hz');
  assert.equal(brief({ curve: 'sweep' }), '~ sweep');
  assert.equal(brief([1, 2]), 'array');
  assert.equal(brief('saw'), 'saw');
});

const param = (more) => ({ key: 'x', unit: '', scale: 'linear', default: 0, ...more });

test('a slider covers what is usual, and always the present value', () => {
  assert.deepEqual(travel(param({ low: 0, high: 1 }), 0.5), { log: false, low: 0, high: 1 });
  assert.deepEqual(travel(param({ default: 1, low: 0, high: 1e6 }), 1), { log: false, low: 0, high: 2 });
  assert.deepEqual(travel(param({ default: 1, low: 0, high: 1e6 }), 500), { log: false, low: 0, high: 1000 });
  assert.deepEqual(travel(param({ unit: 's', default: 0.1, low: 0, high: 3600 }), 0.1), { log: false, low: 0, high: 1 });
  const cutoff = travel(param({ unit: 'Hz', scale: 'log', default: 1000, low: 1, high: 24_000 }), 1000);
  assert.deepEqual(cutoff, { log: true, low: 20, high: 24_000 });
  for (const value of [0.5, 5, 23_999]) {
    const { low, high } = travel(param({ unit: 'Hz', scale: 'log', default: 1000, low: 0.1, high: 24_000 }), value);
    assert.ok(low <= value && value <= high, `${value} in ${low} to ${high}`);
  }
});

test('positions of a slider go to values and back', () => {
  const ranges = [{ log: false, low: -1, high: 1 }, { log: true, low: 20, high: 20_000 }, { log: false, low: 0, high: 240 }];
  for (const range of ranges) {
    for (const position of [0, 1, 250, 500, 999, 1000]) assert.equal(toPosition(range, toValue(range, position)), position);
    assert.equal(toPosition(range, range.high * 10), 1000);
    assert.equal(toPosition(range, range.low - 1), 0);
  }
  assert.equal(toValue(ranges[1], 500), 632.5);
});

const tile = (first, last, columns, ...names) => ({ first, last, columns, pairs: Object.fromEntries(names.map((name) => [name, []])) });

test('a zoom is drawn from the finest tile that covers it, else from the one that covers most', () => {
  const tiles = new Tiles();
  const whole = tile(0, 1000, 10, 'a');
  const near = tile(100, 200, 100, 'a');
  for (const one of [whole, near, tile(120, 160, 40, 'b')]) tiles.add(one);
  assert.equal(tiles.find('a', 110, 190), near);
  assert.equal(tiles.find('a', 150, 400), whole);
  assert.equal(tiles.find('c', 0, 1), null);
  assert.ok(tiles.has(['a'], 100, 200, 100) && !tiles.has(['a', 'b'], 100, 200, 100) && !tiles.has(['a'], 0, 1000, 100));
});

test('the widest tile outlives any number of zooms', () => {
  const tiles = new Tiles();
  const whole = tile(0, 1_000_000, 10, 'a');
  tiles.add(whole);
  for (let i = 0; i < 500; i += 1) tiles.add(tile(i, i + 10, 10, 'a'));
  assert.equal(tiles.tiles.length, 64);
  assert.equal(tiles.find('a', 5000, 6000), whole);
});

test('firings are read from the wire, an incomplete one left out', () => {
  const view = new DataView(new ArrayBuffer(36));
  view.setUint16(16, 3, true);
  view.setUint16(18, 64, true);
  view.setFloat32(20, 0.5, true);
  view.setFloat32(24, 0.25, true);
  view.setFloat32(28, 4096, true);
  const bars = readBars(view);
  assert.equal(bars.length, 2);
  assert.deepEqual(bars[1], { row: 3, frames: 64, start: 0.5, length: 0.25, frame: 4096 });
});

test('the map of heat goes from dark to light, and its last colour is that of faults', () => {
  const light = (word) => (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255);
  const sums = Array.from(PALETTE.slice(0, 255), light);
  assert.ok(sums.every((sum, i) => i === 0 || sum >= sums[i - 1] - 2) && sums[254] > 600);
  assert.equal(PALETTE[255], 0xff2800d0);
});
