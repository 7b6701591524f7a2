import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Cause, causeOf } from '../assets/cause.js';

const { fetch, setTimeout, clearTimeout } = globalThis;
afterEach(() => {
  Object.assign(globalThis, { fetch, setTimeout, clearTimeout });
});

// fakeTimers puts timers in place that go by tick alone. Those of node:test are enabled differently from version to version.
function fakeTimers() {
  const timers = new Map();
  let now = 0;
  let last = 0;
  globalThis.setTimeout = (f, wait) => {
    last += 1;
    timers.set(last, { f, at: now + wait });
    return last;
  };
  globalThis.clearTimeout = (id) => timers.delete(id);
  return (span) => {
    now += span;
    for (const [id, { f, at }] of [...timers]) {
      if (at <= now) {
        timers.delete(id);
        f();
      }
    }
  };
}

test('what a picture comes from', () => {
  const cases = {
    'rtsp://192.0.2.10/stream1': 'camera', 'onvif:192.0.2.10': 'camera', 'demo:': 'camera', 'device:camera': 'camera',
    'device:screen?fps=25': 'screen', 'device:microphone': 'microphone', 'gst:videotestsrc': 'pipeline', publish: 'publisher',
    'wheps://host/stream/whep': 'source', '': 'source',
  };
  for (const [source, want] of Object.entries(cases)) {
    assert.equal(causeOf({ source }).noun, want, source);
  }
  assert.equal(causeOf().noun, 'source');
});

test('what is wrong with it', () => {
  const picture = (state, error) => ({ kind: 'video', codec: 'h264', state, error });
  const cases = {
    'nothing': [{ state: 'ready', transcodes: [picture('running')] }, '', '', false],
    'the source is away': [{ state: 'failed', error: 'no X server' }, 'no X server', '', false],
    'it was away': [{ state: 'ready', error: 'old' }, '', '', false],
    'an encoder has failed': [{ state: 'ready', transcodes: [picture('failed', 'it hung')] }, '', 'it hung', true],
    'it is started again': [{ state: 'ready', transcodes: [picture('starting', 'it hung')] }, '', 'it hung', true],
    'it starts': [{ state: 'ready', transcodes: [picture('starting')] }, '', '', true],
    'it is given less to do': [{ state: 'ready', transcodes: [picture('running', 'half the frame rate')] }, '', '', false],
    'the sink has failed': [{ state: 'ready', transcodes: [{ kind: 'sink', state: 'failed', error: 'disk full' }] }, '', '', false],
  };
  for (const [name, [stream, error, fault, making]] of Object.entries(cases)) {
    assert.deepEqual(causeOf(stream), { noun: 'source', error, fault, making }, name);
  }
});

test('the API is asked again and again until it is left', async () => {
  const tick = fakeTimers();
  const asked = [];
  const answers = [() => new Response('', { status: 503 }), () => Response.json({ source: 'gst:x' }), () => new Response('', { status: 401 }), () => { throw new TypeError('offline'); }];
  globalThis.fetch = async (path) => {
    asked.push(path);
    return answers[(asked.length - 1) % answers.length]();
  };
  const told = [];
  const cause = new Cause('front door');
  cause.follow(({ noun }) => told.push(noun));
  for (let i = 0; i < 4; i += 1) {
    await settled();
    tick(3_000);
  }
  cause.leave();
  await settled();
  tick(10_000);
  await settled();
  assert.deepEqual(told, ['source', 'pipeline', 'pipeline', 'pipeline']);
  assert.equal(asked.length, 5);
  assert.equal(asked[0], '/api/v1/streams/front%20door');
});

const settled = () => new Promise((resolve) => { setImmediate(resolve); });
