// Messages between a view and its kernel: order, answers, losses.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { load, Model } from './load.js';

const { KernelLink } = await load('base/link.js');
const { Latest } = await load('base/latest.js');

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** A link whose widget has answered. */
async function linked() {
  const model = new Model();
  const link = new KernelLink(model);
  model.hear({ kind: 'alive', id: model.sent[0].id });
  await Promise.resolve();
  model.sent.length = 0;
  return { model, link };
}

test('a link asks first whether its widget is there', () => {
  const model = new Model();
  const link = new KernelLink(model);
  assert.deepEqual(model.sent.map((message) => message.kind), ['alive']);
  link.close();
});

test('answers find their questions in any order', async () => {
  const { model, link } = await linked();
  const first = link.ask('span', { low: 0 });
  const second = link.ask('span', { low: 1 });
  const [one, two] = model.sent;
  assert.notEqual(one.id, two.id);
  model.hear({ kind: 'span', id: two.id, value: 2 });
  model.hear({ kind: 'span', id: one.id, value: 1 });
  assert.equal((await first).message.value, 1);
  assert.equal((await second).message.value, 2);
  link.close();
});

test('a failure rejects its question with the place in the graph', async () => {
  const { model, link } = await linked();
  const question = link.ask('edit');
  model.hear({ kind: 'failed', id: model.sent[0].id, message: 'svf.q: out of range', node: 'svf', port: 'q' });
  await assert.rejects(question, { message: 'svf.q: out of range', node: 'svf', port: 'q', from: 'python' });
  link.close();
});

test('a failure of nobody’s question goes to the handler, one of another view’s to no one', async () => {
  const { model, link } = await linked();
  const heard = [];
  link.on('failed', (error) => heard.push(error.message));
  model.hear({ kind: 'failed', message: 'render: failed' });
  model.hear({ kind: 'failed', id: 'another:1', message: 'not mine' });
  assert.deepEqual(heard, ['render: failed']);
  link.close();
});

test('handlers get messages in the order of sending, with their buffers', async () => {
  const { model, link } = await linked();
  const heard = [];
  link.on('patch', (message, buffers) => heard.push([message.version, buffers.length]));
  for (const version of [3, 4, 5]) model.hear({ kind: 'patch', version }, [new DataView(new ArrayBuffer(4))]);
  assert.deepEqual(heard, [[3, 1], [4, 1], [5, 1]]);
  link.close();
});

test('no answer for five seconds is a loss that may pass, and the answer ends it', async () => {
  const model = new Model();
  const link = new KernelLink(model);
  const losses = [];
  link.onLost((lost) => losses.push(lost?.kind ?? null));
  mock.timers.tick(4999);
  assert.deepEqual(losses, []);
  mock.timers.tick(1);
  assert.deepEqual(losses, ['unanswered']);
  model.hear({ kind: 'alive', id: model.sent[0].id });
  await Promise.resolve();
  assert.deepEqual(losses, ['unanswered', null]);
  link.close();
});

test('after a restart nothing is sent, and no later state is believed', async () => {
  const { model, link } = await linked();
  model.emit('comm_live_update');
  assert.equal(link.lost.kind, 'restarted');
  link.send('render');
  assert.deepEqual(model.sent, []);
  link.close();
});

test('a kernel that died says so, although its restart is reported first', async () => {
  const slots = [];
  const statusChanged = { connect: (slot) => slots.push(slot), disconnect: () => {} };
  const model = Object.assign(new Model(), { widget_manager: { kernel: { statusChanged } } });
  const link = new KernelLink(model);
  model.emit('comm_live_update');
  slots[0](null, 'autorestarting');
  assert.equal(link.lost.kind, 'died');
  link.close();
});

test('a connection that is lost and back asks the widget again before it goes on', async () => {
  const slots = [];
  const connectionStatusChanged = { connect: (slot) => slots.push(slot), disconnect: () => {} };
  const model = Object.assign(new Model(), { widget_manager: { kernel: { connectionStatusChanged } } });
  const link = new KernelLink(model);
  model.hear({ kind: 'alive', id: model.sent[0].id });
  slots[0](null, 'disconnected');
  assert.equal(link.lost.kind, 'disconnected');
  slots[0](null, 'connected');
  assert.equal(link.lost.kind, 'disconnected');
  model.hear({ kind: 'alive', id: model.sent.at(-1).id });
  await Promise.resolve();
  assert.equal(link.lost, null);
  link.close();
});

test('a closed link hears nothing', async () => {
  const { model, link } = await linked();
  link.on('patch', () => assert.fail('heard'));
  link.close();
  model.hear({ kind: 'patch' });
});

test('while one value is on its way the next ones replace each other', async () => {
  const sent = [];
  const ends = [];
  const latest = new Latest((value) => {
    sent.push(value);
    return new Promise((resolve) => ends.push(resolve));
  });
  const all = [1, 2, 3, 4].map((value) => latest.push(value));
  assert.deepEqual(sent, [1]);
  ends.shift()();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(sent, [1, 4]);
  ends.shift()();
  await Promise.all(all);
  assert.equal(latest.busy, false);
});

test('a value that could not be sent does not stop the next', async () => {
  let bad = true;
  const sent = [];
  const latest = new Latest(async (value) => {
    if (bad) throw new Error('no');
    sent.push(value);
  });
  await assert.rejects(latest.push(1), { message: 'no' });
  bad = false;
  await latest.push(2);
  assert.deepEqual(sent, [2]);
});
