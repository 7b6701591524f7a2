import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeWords, sourceKind, stateWord, totalWords, trackWords, troubleWords, viewerWords } from '../assets/words.js';

test('sources are named by their kind', () => {
  const cases = {
    'demo:': 'Demo camera',
    'rtsp://192.0.2.10/stream1': 'RTSP camera',
    'rtsps://192.0.2.10/stream1': 'RTSP camera',
    'wheps://host/stream/whep': 'WHEP server',
    publish: 'WHIP publisher',
    'gst:videotestsrc': 'GStreamer pipeline',
    'device:microphone?label=x': 'Microphone',
    'device:camera': 'Camera here',
    'future:thing': 'Source',
  };
  for (const [source, want] of Object.entries(cases)) {
    assert.equal(sourceKind(source), want, source);
  }
  assert.equal(sourceKind(undefined), 'Source');
});

test('states, tracks and viewers', () => {
  assert.deepEqual(['ready', 'connecting', 'idle', 'failed', 'new'].map(stateWord), ['Live', 'Connecting', 'Idle', 'Offline', 'Unknown']);
  assert.equal(trackWords([{ codec: 'h264', width: 1280, height: 720 }, { codec: 'opus' }, { codec: 'x' }]), 'H.264 1280 × 720 · Opus · x');
  assert.equal(trackWords([{ kind: 'audio', codec: 'opus' }, { kind: 'data', codec: 'onvif' }, { codec: 'dv', skipped: 'no' }]), 'Opus');
  assert.equal(trackWords(undefined), '');
  assert.equal(trackWords(null), '');
  assert.equal(viewerWords(0), 'Nobody watching');
  assert.equal(viewerWords(3), '3 watching');
});

test('what is made anew, and what is wrong', () => {
  const picture = { codec: 'h264', state: 'running' };
  const sound = { codec: 'opus', state: 'starting' };
  const broken = { codec: 'vp8', state: 'failed', error: 'it crashed' };
  assert.equal(madeWords([picture, picture, sound, broken]), 'Transcoded to H.264 · Opus');
  assert.equal(madeWords([broken]), '');
  const sink = { kind: 'sink', codec: '', state: 'running' };
  assert.equal(madeWords([sink]), '');
  assert.equal(madeWords([picture, sink]), 'Transcoded to H.264');
  assert.equal(troubleWords({ state: 'ready', transcodes: [{ ...sink, state: 'failed', error: 'the disk is full' }] }), 'Sink: the disk is full');
  assert.equal(madeWords(undefined), '');
  assert.equal(troubleWords({ state: 'ready', transcodes: [picture, broken] }), 'VP8: it crashed');
  assert.equal(troubleWords({ state: 'failed', error: 'no such camera', transcodes: [broken] }), 'no such camera');
  assert.equal(troubleWords({ state: 'ready', error: 'old' }), '');
});

test('totals', () => {
  assert.equal(totalWords([]), '');
  assert.equal(totalWords([{ state: 'ready', viewers: 2 }, { state: 'failed' }]), '1 of 2 live · 2 watching');
});
