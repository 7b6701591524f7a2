import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meter, meterCells, meterSums } from '../assets/meter.js';

const layer = (rid, second, width, change = {}) => ({
  type: 'outbound-rtp', kind: 'video', id: rid, rid, ssrc: rid.charCodeAt(0), codecId: 'C', timestamp: 1000 * second, frameWidth: width,
  frameHeight: width && (width * 9) / 16, framesEncoded: 30 * second, bytesSent: 100 * width * second, packetsSent: 100 * second, ...change,
});

function report(second, change) {
  const all = [
    layer('l', second, 320), layer('h', second, 1280, change), layer('m', second, 640),
    { type: 'outbound-rtp', kind: 'audio', id: 'A', ssrc: 9, codecId: 'O', timestamp: 1000 * second, bytesSent: 4000 * second, packetsSent: 50 * second },
    { type: 'remote-inbound-rtp', kind: 'video', id: 'R', packetsLost: 7, roundTripTime: 0.03 },
    { type: 'codec', id: 'C', mimeType: 'video/VP8' }, { type: 'codec', id: 'O', mimeType: 'audio/opus' },
    { type: 'transport', id: 'T', selectedCandidatePairId: 'P' }, { type: 'candidate-pair', id: 'P', currentRoundTripTime: 0.012 },
  ];
  return new Map(all.map((s) => [s.id, s]));
}

test('layers come largest first, the sound last', () => {
  const now = meter(report(2), meter(report(1)));
  assert.deepEqual(now.rows.map(({ rid }) => rid), ['h', 'm', 'l', 'audio']);
  assert.deepEqual(now.rows.map(({ kbps }) => kbps), [1024, 512, 256, 32]);
  assert.equal(now.rows[0].fps, 30);
  assert.equal(now.kbps, 1824);
  assert.equal(now.roundTrip, 12);
});

test('rows and sums in words', () => {
  const now = meter(report(2, { qualityLimitationReason: 'cpu' }), meter(report(1)));
  assert.deepEqual(meterCells(now.rows[0]), ['High', 'VP8 · 1280\u00a0×\u00a0720 · held back by this device', '30 fps', '1024 kbit/s']);
  assert.deepEqual(meterCells(now.rows[3]), ['Sound', 'Opus', '', '32 kbit/s']);
  assert.deepEqual(meterSums(now), [['Total', '1824 kbit/s'], ['Round trip', '12 ms'], ['Packets lost', '7 (1.0 %)']]);
});

test('nothing is known at first', () => {
  const first = meter(report(1));
  assert.equal(first.kbps, undefined);
  assert.deepEqual(meterCells(first.rows[0]).slice(2), ['–', '–']);
  assert.deepEqual(meterSums(meter(new Map())), [['Total', '–'], ['Round trip', '–'], ['Packets lost', '–']]);
});

test('a layer that pauses is said to', () => {
  const paused = { bytesSent: 5, framesEncoded: 5, frameWidth: undefined, frameHeight: undefined };
  const now = meter(report(2, paused), meter(report(1, paused)));
  const high = now.rows.find(({ rid }) => rid === 'h');
  assert.deepEqual(meterCells(high), ['High', 'Not sent', '', '0 kbit/s']);
});

test('a stream that began anew gives no rate', () => {
  assert.equal(meter(report(2, { ssrc: 77 }), meter(report(1))).rows[0].kbps, undefined);
  assert.equal(meter(report(2, { bytesSent: 1 }), meter(report(1))).rows[0].kbps, undefined);
});

test('one layer has no name', () => {
  const one = meter(new Map([['V', layer('x', 1, 1280, { rid: undefined })]]));
  assert.equal(one.rows[0].rid, 'main');
  assert.equal(meterCells(one.rows[0])[0], 'Picture');
});
