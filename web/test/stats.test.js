import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headline, rows, summarize } from '../assets/stats.js';

function report(second, change = {}) {
  const video = {
    type: 'inbound-rtp', kind: 'video', id: 'V', codecId: 'C', timestamp: 1000 * second, frameWidth: 1280, frameHeight: 720,
    framesDecoded: 30 * second, bytesReceived: 250_000 * second, packetsReceived: 230 * second, packetsLost: second,
    jitter: 0.004, jitterBufferDelay: 0.6 * second, jitterBufferEmittedCount: 30 * second, ...change,
  };
  const all = [
    video,
    { type: 'codec', id: 'C', mimeType: 'video/H264' },
    { type: 'transport', id: 'T', selectedCandidatePairId: 'P' },
    { type: 'candidate-pair', id: 'P', state: 'succeeded', currentRoundTripTime: 0.0123 },
  ];
  return new Map(all.map((s) => [s.id, s]));
}

test('rates come from two reports', () => {
  const first = summarize(report(1));
  const second = summarize(report(2), first);
  assert.equal(first.video.kbps, undefined);
  assert.equal(second.video.kbps, 2000);
  assert.equal(second.video.fps, 30);
  assert.equal(Math.round(second.video.buffer), 20);
  assert.equal(second.roundTrip, 12.3);
  assert.equal(headline(second), 'H.264 · 1280 × 720 · 30 fps');
});

test('the panel says what is known and a dash for the rest', () => {
  const summary = summarize(report(2), summarize(report(1)));
  const panel = Object.fromEntries(rows(summary, 84.4));
  assert.equal(panel['Bit rate'], '2000 kbit/s');
  assert.equal(panel['Round trip'], '12 ms');
  assert.equal(panel['Packets lost'], '2 (0.4 %)');
  assert.equal(panel['Started in'], '84 ms');
  const bare = Object.fromEntries(rows(summarize(new Map()), undefined));
  assert.deepEqual(bare, { 'Round trip': '–', 'Jitter buffer': '–', 'Packets lost': '–', 'Started in': '–' });
});

test('why something is sent stands in the panel, and that it is transcoded in the line', () => {
  const summary = summarize(report(2), summarize(report(1)));
  const delivery = [{ codec: 'h264', transcoded: true, reason: 'The camera sends H.265.' }, { codec: 'opus', transcoded: false, reason: 'It fits.' }];
  const panel = Object.fromEntries(rows(summary, 84.4, delivery));
  assert.equal(panel['Why H.264'], 'The camera sends H.265.');
  assert.equal(panel['Why Opus'], 'It fits.');
  assert.equal(headline(summary, delivery), 'H.264 · 1280 × 720 · 30 fps · transcoded');
  assert.equal(headline(summary, [{ ...delivery[0], transcoded: false }]), 'H.264 · 1280 × 720 · 30 fps');
  assert.equal(headline(summary, [{ ...delivery[1], transcoded: true }]), 'H.264 · 1280 × 720 · 30 fps');
});

test('counters that start again give no rate', () => {
  const before = summarize(report(5));
  assert.equal(summarize(report(6, { bytesReceived: 10 }), before).video.kbps, undefined);
});

test('sound alone is told by its codec', () => {
  const audio = { type: 'inbound-rtp', kind: 'audio', id: 'A', codecId: 'C', timestamp: 1, packetsReceived: 50, bytesReceived: 4000 };
  const summary = summarize(new Map([['A', audio], ['C', { type: 'codec', mimeType: 'audio/opus' }]]));
  assert.equal(summary.video, undefined);
  assert.equal(headline(summary), 'Opus');
  assert.equal(headline(summary, [{ codec: 'opus', transcoded: true, reason: 'AAC.' }]), 'Opus · transcoded');
  assert.equal(headline(summarize(new Map())), '');
});
