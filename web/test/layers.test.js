import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addVideo, encodings, preferences, sendable } from '../assets/layers.js';

const codecs = ['VP8', 'rtx', 'VP9', 'H264', 'H264', 'red', 'H265'].map((name, at) => ({ mimeType: `video/${name}`, sdpFmtpLine: `${at}` }));

test('three layers, each twice the one before', () => {
  const all = encodings(720, true);
  assert.deepEqual(all.map(({ rid }) => rid), ['l', 'm', 'h']);
  assert.deepEqual(all.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy), [4, 2, 1]);
  assert.deepEqual(all.map(({ maxBitrate }) => maxBitrate), [250_000, 750_000, 2_500_000]);
});

test('the bit rate follows the height', () => {
  assert.deepEqual([2160, 1080, 720, 700, 480, 90].map((height) => encodings(height, false)[0].maxBitrate),
    [4_500_000, 4_500_000, 2_500_000, 1_200_000, 1_200_000, 700_000]);
  assert.equal(encodings(720, false)[0].rid, undefined);
});

test('a browser that takes no layers sends one', () => {
  const tried = [];
  const pc = {
    addTransceiver(track, init) {
      tried.push(init.sendEncodings);
      if (init.sendEncodings.length > 1) {
        throw new TypeError('no');
      }
      return 'transceiver';
    },
  };
  assert.equal(addVideo(pc, {}, {}, encodings(720, true)), 'transceiver');
  assert.deepEqual(tried[1], [{ maxBitrate: 2_500_000 }]);
});

test('only what can be sent is offered to choose from', () => {
  assert.deepEqual(sendable({ codecs }), ['h264', 'vp8', 'vp9']);
  assert.deepEqual(sendable(null), []);
});

test('one codec goes with all its kinds and what repairs losses', () => {
  assert.deepEqual(preferences({ codecs }, 'h264').map(({ mimeType, sdpFmtpLine }) => mimeType + sdpFmtpLine),
    ['video/H2643', 'video/H2644', 'video/rtx1', 'video/red5']);
});
