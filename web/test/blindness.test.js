import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blindness } from '../assets/blindness.js';

// run samples twice a second from 500 ms on; step(ms) gives the picture's counters. It returns the reports by the time.
function run(milliseconds, step, hidden = () => false) {
  const blindness = new Blindness();
  const reports = {};
  for (let now = 500; now <= milliseconds; now += 500) {
    const report = blindness.sample({ now, hidden: hidden(now), video: step(now) });
    if (report) {
      reports[now] = report;
    }
  }
  return reports;
}

const black = (now) => ({ frames: 0, received: now / 20, packets: now });

// F40
test('pictures that come for three seconds and are not decoded are reported, once', () => {
  assert.deepEqual(run(20_000, black), { 3500: { framesDecoded: 0, framesReceived: 175 } });
});

test('the three seconds begin with the first picture', () => {
  const late = (now) => (now < 5_000 ? { frames: 0, received: 0, packets: 9 } : black(now));
  assert.deepEqual(Object.keys(run(20_000, late)), ['8000']);
});

test('a browser that counts no pictures before it decodes them tells of packets', () => {
  const uncounted = (now) => ({ frames: 0, packets: now });
  assert.deepEqual(run(20_000, uncounted), { 3500: { framesDecoded: 0, packetsReceived: 3500 } });
});

test('nothing is reported by who', async (t) => {
  const cases = {
    'sees': [(now) => ({ frames: now / 20, received: now / 20 })],
    'sees once': [(now) => ({ frames: 1, received: now / 20 })],
    'sees late': [(now) => ({ frames: now < 3_500 ? 0 : 1, received: now / 20 })],
    'gets no picture': [() => undefined],
    'gets no whole picture': [(now) => ({ frames: 0, received: 0, packets: now })],
    'gets no second picture': [() => ({ frames: 0, received: 1 })],
    'does not look': [black, () => true],
    'looks now and then': [black, (now) => now % 3_000 === 0],
  };
  for (const [name, [step, hidden]] of Object.entries(cases)) {
    await t.test(name, () => assert.deepEqual(run(20_000, step, hidden), {}));
  }
});

test('a page that slept begins anew', () => {
  const blindness = new Blindness();
  assert.equal(blindness.sample({ now: 500, hidden: false, video: black(500) }), undefined);
  assert.equal(blindness.sample({ now: 60_500, hidden: false, video: black(60_500) }), undefined);
  assert.equal(blindness.sample({ now: 61_000, hidden: false, video: black(61_000) }), undefined);
});
