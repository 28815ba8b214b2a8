// Live sound: how much of it is kept ahead, and the ring in the audio thread.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { load } from './load.js';

const RATE = 48_000;
const QUANTUM = 128;
const { Buffer } = await load('live/buffer.js');
const { worklet } = await load('live/worklet.js');

test('as long as nothing was lost, sound reaches the ear in 120 ms', () => {
  const buffer = new Buffer(RATE);
  assert.equal(buffer.frames, 0.09 * RATE);
  assert.ok(buffer.note({ low: 3000, underruns: 0, flowing: true }, 0, 0.04));
  assert.equal(buffer.frames, Math.round(0.079 * RATE));
  buffer.note({ low: 3000, underruns: 0, flowing: true }, 1, 0.2);
  assert.equal(buffer.frames, 0.06 * RATE);
});

test('an underrun raises the target at once, and 0.4 s is the most', () => {
  const buffer = new Buffer(RATE);
  const targets = [1, 2, 3, 4, 5].map((underruns) => {
    buffer.note({ low: 0, underruns, flowing: false }, underruns, 0.029);
    return buffer.target;
  });
  assert.ok(targets[0] > 0.13 && targets.every((target, i) => i === 0 || target >= targets[i - 1]));
  assert.equal(targets.at(-1), 0.4);
});

test('ten seconds without a loss bring the target down slowly, to what the worst of them used', () => {
  const buffer = new Buffer(RATE);
  buffer.note({ low: 0, underruns: 1, flowing: true }, 0, 0.029);
  const high = buffer.target;
  for (let now = 1; now < 10; now += 0.1) buffer.note({ low: (buffer.target - 0.1) * RATE, underruns: 1, flowing: true }, now, 0.029);
  assert.equal(buffer.target, high);
  for (let now = 10; now < 60; now += 0.1) buffer.note({ low: (buffer.target - 0.1) * RATE, underruns: 1, flowing: true }, now, 0.029);
  assert.ok(Math.abs(buffer.target - 0.112) < 1e-9, `${buffer.target}`);
});

let Ring;
beforeEach(() => {
  Object.assign(globalThis, {
    sampleRate: RATE,
    AudioWorkletProcessor: class { port = { sent: [], postMessage(report) { this.sent.push(report); } }; },
    registerProcessor: (_, made) => { Ring = made; },
  });
  // as the page loads it: from its own text, with nothing around it
  new Function(`(${worklet})();`)();
});

const ring = (target = 512) => new Ring({ processorOptions: { target } });
const tell = (one, data) => one.port.onmessage({ data });
const constant = (frames, value) => new Float32Array(frames).fill(value);

/** Left channel of some quanta. */
function play(one, quanta) {
  const heard = [];
  for (let i = 0; i < quanta; i += 1) {
    const out = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
    one.process([], [out]);
    heard.push(...out[0]);
  }
  return heard;
}

test('nothing sounds before three quarters of the target are there', () => {
  const one = ring(1024);
  tell(one, { sound: [constant(767, 0.1), constant(767, 0.1)] });
  assert.ok(play(one, 2).every((value) => value === 0));
  tell(one, { sound: [constant(1, 0.1), constant(1, 0.1)] });
  assert.ok(play(one, 1).at(-1) > 0);
});

test('sound fades in, goes through as it is, and fades out where it ends', () => {
  const one = ring();
  tell(one, { sound: [constant(20 * QUANTUM, 0.1)] });
  const heard = play(one, 30);
  const step = Math.max(...heard.map((value, i) => Math.abs(value - (heard[i - 1] ?? 0))));
  assert.ok(step <= 0.1 / QUANTUM + 1e-6, `a step of ${step}`);
  assert.ok(heard.slice(6 * QUANTUM, 18 * QUANTUM).every((value) => Math.abs(value - 0.1) < 1e-7));
  assert.ok(heard.slice(20 * QUANTUM).every((value) => value === 0));
  assert.equal(one.underruns, 1);
});

test('silence that was announced is no underrun', () => {
  const one = ring();
  tell(one, { sound: [constant(8 * QUANTUM, 0.1)] });
  tell(one, { hold: true });
  play(one, 20);
  assert.deepEqual([one.underruns, one.silent], [0, 0]);
});

test('the ring goes round without losing a frame', () => {
  const one = ring();
  const block = 7 * QUANTUM;
  let given = 0;
  const heard = [];
  for (let i = 0; i < 150; i += 1) { // longer than the two seconds that the ring holds
    if (i === 1) heard.push(...play(one, 1)); // from here on six quanta are ahead
    const rows = Float32Array.from({ length: block }, (_, n) => 0.1 * Math.sin((given + n) / 50));
    tell(one, { sound: [rows, rows] });
    given += block;
    if (i) heard.push(...play(one, 7));
  }
  const from = 100 * QUANTUM;
  const worst = Math.max(...heard.slice(from).map((value, i) => Math.abs(value - 0.1 * Math.sin((from + i) / 50))));
  assert.ok(worst < 1e-7, `off by ${worst}`);
  assert.equal(one.underruns, 0);
});

test('a correction takes over from what it replaces along a line', () => {
  const one = ring();
  const frames = 8 * QUANTUM;
  tell(one, { sound: [constant(frames, 0.2)], old: [constant(frames, 0.1)] });
  const rows = one.rows[0].subarray(0, frames);
  assert.ok(rows[0] > 0.1 && rows[0] < 0.1002 && rows[frames - 1] < 0.2 && rows[frames - 1] > 0.1998);
});

test('nothing that is not finite, and nothing above full scale, comes out', () => {
  const one = ring();
  const wild = Float32Array.from({ length: 40 * QUANTUM }, (_, i) => [NaN, Infinity, -1e30, 5, -5, 0.3][i % 6]);
  tell(one, { sound: [wild, wild] });
  const heard = play(one, 38);
  assert.ok(heard.every((value) => Number.isFinite(value) && Math.abs(value) <= 1));
});

test('what is suddenly loud is let out little by little', () => {
  const one = ring();
  tell(one, { sound: [constant(100 * QUANTUM, 0.01)] });
  play(one, 50);
  tell(one, { sound: [constant(200 * QUANTUM, 1)] });
  const loud = play(one, 248).slice(51 * QUANTUM);
  assert.ok(loud[0] <= 0.3 && loud[Math.round(0.1 * RATE)] < 0.6, `${loud[0]}, then ${loud[Math.round(0.1 * RATE)]}`);
  assert.ok(loud.every((value, i) => i === 0 || value >= loud[i - 1] - 1e-6) && loud[190 * QUANTUM] > 0.99);
});

test('a report says what was played and how loud, and then begins anew', () => {
  const one = ring();
  tell(one, { sound: [constant(60 * QUANTUM, 0.1), constant(60 * QUANTUM, 0.05)] });
  play(one, 50);
  const report = one.port.sent.at(-1);
  assert.equal(report.flowing, true);
  assert.deepEqual(report.peaks.map((peak) => Number(peak.toFixed(6))), [0.1, 0.05]);
  assert.ok(Math.abs(report.rms[0] - 0.1) < 1e-6 && Math.abs(report.rms[1] - 0.05) < 1e-6);
  assert.equal(report.underruns, 0);
});

test('a ring that is told to close ends its processor', () => {
  const one = ring();
  tell(one, { close: true });
  assert.equal(one.process([], [[new Float32Array(QUANTUM)]]), false);
});
