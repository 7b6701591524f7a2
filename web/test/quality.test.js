import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layersOf, qualities } from '../assets/quality.js';

const high = { rid: 'h', width: 1280, height: 720, bitrate: 2_400_000, selected: true };
const low = { rid: 'l', width: 320, height: 180, bitrate: 180_000, selected: false };
const bare = ({ rid, ...rest }, name) => ({ [name]: rid, ...rest });

test('layers of the servers there are', () => {
  const cases = {
    'named by encodingId': { 0: { active: [bare(high, 'id')], inactive: [], layers: [bare(high, 'encodingId'), bare(low, 'encodingId')] } },
    'named by id': { 1: { active: [bare(high, 'id'), bare(low, 'id')] } },
    'a list, as in the draft': { 0: [high, low] },
    'two temporal layers of one': { 0: [high, { ...high, temporalLayerId: 1 }, low] },
    'a section without layers': { 0: { layers: [high, low] }, 1: {} },
  };
  for (const [name, data] of Object.entries(cases)) {
    assert.deepEqual(layersOf(data), [high, low], name);
  }
});

test('data without layers', () => {
  for (const data of [{}, null, undefined, { 0: null }, { 0: { layers: [null, {}] } }]) {
    assert.deepEqual(layersOf(data), []);
  }
});

test('what to choose from', () => {
  assert.deepEqual(qualities([high, low]), [['', 'Auto (1280 × 720)'], ['h', '1280 × 720'], ['l', '320 × 180']]);
  assert.deepEqual(qualities([high, low], 'h')[0], ['', 'Auto']);
  assert.deepEqual(qualities([{ rid: 'a' }, { rid: 'b' }]), [['', 'Auto'], ['a', 'a'], ['b', 'b']]);
  assert.deepEqual(qualities([high]), []);
  assert.deepEqual(qualities([]), []);
});

test('layers of one size are told apart', () => {
  const half = { ...high, rid: 'x', bitrate: 900_000, selected: false };
  assert.deepEqual(qualities([high, half]).map(([, label]) => label), ['Auto (1280 × 720 · 2400 kbit/s)', '1280 × 720 · 2400 kbit/s', '1280 × 720 · 900 kbit/s']);
  assert.equal(qualities([{ ...high, bitrate: 0 }, half])[1][1], '1280 × 720 · h');
});
