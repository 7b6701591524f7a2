import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Reader, age, bits, decode, lines } from '../page/stamp.js';

const vectors = JSON.parse(await readFile(new URL('../testdata/stamps.json', import.meta.url), 'utf8'));

test('a stamp that Go has made is read', () => {
  assert.ok(vectors.length > 5);
  for (const { levels, clock } of vectors) {
    assert.equal(decode(levels), clock);
    assert.equal(decode(levels.map((level) => (level ? 180 : 70))), clock, 'paler, as a bad picture is');
  }
});

test('a stamp with a wrong block is none', () => {
  for (const { levels } of vectors) {
    for (let i = 0; i < bits; i += 1) {
      assert.equal(decode(levels.map((level, at) => (at === i ? 255 - level : level))), null);
    }
  }
});

test('a picture of one colour has no stamp', () => {
  for (const level of [0, 16, 128, 255]) {
    assert.equal(decode(new Array(bits).fill(level)), null);
  }
});

test('age goes across the end of the clock', () => {
  assert.equal(age(0xfffff0, 0x1000000), 16);
  assert.equal(age(5, 0xaa000005 + 30), 30);
  assert.equal(age(10, 0x1000000 + 5), -5);
});

test('the stamp has as many lines as Go paints', () => {
  assert.deepEqual([64, 360, 720, 1080].map(lines), [16, 16, 32, 48]);
});

test('of the video only the middle line of the stamp is drawn', () => {
  const drawn = [];
  const { levels, clock } = vectors.at(-1);
  const brush = {
    drawImage: (...args) => drawn.push(args.slice(1)),
    getImageData: () => ({ data: levels.flatMap((level) => [0, level, 0, 255]) }),
  };
  const reader = new Reader({ createElement: () => ({ getContext: () => brush }) });
  assert.equal(reader.clock({ videoWidth: 1280, videoHeight: 720 }), clock);
  assert.deepEqual(drawn, [[0, 16, 1280, 1, 0, 0, bits, 1]]);
  assert.equal(brush.imageSmoothingEnabled, false);
});
