// What has a unit test here has types as well.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const UNTYPED = ['live/worklet.js']; // in the scope of an AudioWorklet, which the types of a page lack

test('every module that is tested here begins with @ts-check', () => {
  const here = new URL('./', import.meta.url);
  const tests = readdirSync(here).filter((name) => name.endsWith('.test.js'));
  const texts = tests.map((name) => readFileSync(new URL(name, here), 'utf8'));
  const tested = texts.flatMap((text) => [...text.matchAll(/ load\('(.+)'\)/g)].map(([, path]) => path));
  assert.ok(tested.length > 10);
  const without = tested.filter((path) => !readFileSync(new URL(`../${path}`, here), 'utf8').startsWith('// @ts-check\n'));
  assert.deepEqual(without, UNTYPED);
});
