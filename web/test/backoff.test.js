import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, retryAfter } from '../assets/backoff.js';

test('waits double from half a second to five', () => {
  const backoff = new Backoff({ random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.next()), [500, 1000, 2000, 4000, 5000, 5000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test('a wait is never shorter than half its span', () => {
  const backoff = new Backoff({ random: () => 0 });
  assert.deepEqual([1, 2, 3, 4, 5].map(() => backoff.next()), [250, 500, 1000, 2000, 2500]);
});

test('the time that a server asks for replaces ours, stretched by a tenth at most', () => {
  for (const [random, want] of [[0, 2000], [1, 2200]]) {
    const backoff = new Backoff({ random: () => random });
    for (let attempt = 0; attempt < 6; attempt += 1) {
      assert.equal(backoff.next(2000), want);
    }
  }
});

test('Retry-After', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  const cases = {
    seconds: ['2', 2000],
    padded: [' 7 ', 7000],
    date: ['Tue, 01 Jan 2030 00:00:09 GMT', 9000],
    'past date': ['Mon, 31 Dec 2029 23:59:00 GMT', 0],
    'far too long': ['86400', 300_000],
    zero: ['0', 0],
    negative: ['-5', 0],
    absent: [null, 0],
    empty: ['', 0],
    nonsense: ['soon', 0],
  };
  for (const [name, [header, want]] of Object.entries(cases)) {
    assert.equal(retryAfter(header, now), want, name);
  }
});
