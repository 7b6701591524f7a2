import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../assets/progress.js';

// run samples twice a second; step(ms) gives how many pictures and bytes come in that half second.
function run(milliseconds, step) {
  const progress = new Progress(0);
  const verdicts = [];
  let frames = 0;
  let bytes = 0;
  for (let now = 500; now <= milliseconds; now += 500) {
    const come = step(now);
    frames += come.frames;
    bytes += come.bytes;
    verdicts.push(progress.sample({ now, frames, bytes }));
  }
  return verdicts;
}

const flow = { frames: 15, bytes: 60_000 };
const none = { frames: 0, bytes: 0 };
const garbage = { frames: 0, bytes: 60_000 };

test('pictures flow', () => {
  assert.ok(run(10_000, () => flow).every((verdict) => verdict === 'flowing'));
});

test('a source that goes is stalled after three seconds, and flows at once when it returns', () => {
  const verdicts = run(12_000, (now) => (now > 4_000 && now <= 9_000 ? none : flow));
  const at = (ms) => verdicts[ms / 500 - 1];
  assert.equal(at(6_500), 'flowing');
  assert.equal(at(7_000), 'stalled');
  assert.equal(at(9_000), 'stalled');
  assert.equal(at(9_500), 'flowing');
});

test('no picture from the beginning', () => {
  const verdicts = run(4_000, () => none);
  assert.equal(verdicts[0], 'starting');
  assert.equal(verdicts.at(-1), 'nopicture');
});

test('data that give no picture', () => {
  const verdicts = run(8_000, () => garbage);
  assert.equal(verdicts[5_500 / 500 - 1], 'starting');
  assert.equal(verdicts[6_000 / 500 - 1], 'undecodable');
});

test('a page that slept is not told that its stream stalled', () => {
  const progress = new Progress(0);
  assert.equal(progress.sample({ now: 500, frames: 15, bytes: 100 }), 'flowing');
  assert.equal(progress.sample({ now: 60_500, frames: 15, bytes: 100 }), 'flowing');
  assert.equal(progress.sample({ now: 63_500, frames: 15, bytes: 100 }), 'stalled');
});
