import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { SluicePlayer } from '../assets/player.js';
import { WhepSession } from '../assets/whep.js';

// FakeConnection is as much of an RTCPeerConnection as a session needs, and keeps what was done to it.
class FakeConnection extends EventTarget {
  static made = 0;
  done = [];
  connectionState = 'new';

  constructor() {
    super();
    FakeConnection.made += 1;
  }

  addTransceiver() { this.done.push('add'); }

  async setLocalDescription() {
    this.done.push('local');
    this.localDescription = { sdp: 'own offer' };
  }

  async setRemoteDescription({ sdp }) { this.done.push(`remote ${sdp}`); }
  getTransceivers() { return []; }
  close() { this.done.push('close'); }
}

// answer is the gateway's to an offer.
function answer(body, status = 201) {
  const response = new Response(body, { status, headers: { Location: '/cam/whep/1', ETag: '"g1"' } });
  Object.defineProperty(response, 'url', { value: 'https://host/cam/whep' });
  return response;
}

// begun is what the page has begun, with the given response to come, and one track that has come.
function begun(response) {
  const whole = {
    pc: new FakeConnection(), abort: new AbortController(), askedAt: 0, tracks: [new Event('track')],
    request: Promise.resolve({ response }), applied: response.then(() => {}),
  };
  whole.applied.catch(() => {});
  FakeConnection.made = 0;
  return whole;
}

async function settle() {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

// Node 18 has none of its own.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

const { fetch: native, setTimeout: nativeTimeout } = globalThis;
let posts;

beforeEach(() => {
  posts = [];
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.fetch = async (url, { method }) => {
    posts.push(method);
    return answer('own answer');
  };
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: true }, configurable: true });
});

afterEach(() => {
  globalThis.fetch = native;
  globalThis.setTimeout = nativeTimeout;
});

test('a session goes on from what the page has begun', async () => {
  const has = begun(Promise.resolve(answer('the answer')));
  const session = new WhepSession('https://host/cam/whep', { begun: has });
  const tracks = [];
  session.addEventListener('track', ({ detail }) => tracks.push(detail));
  let connected = 0;
  session.addEventListener('connected', () => { connected += 1; });
  has.pc.connectionState = 'connected';
  await session.open();
  const later = new Event('track');
  has.pc.ontrack(later);
  assert.deepEqual([has.pc.done, connected], [[], 1], 'the page has applied the answer');
  assert.deepEqual([posts, FakeConnection.made, tracks], [[], 0, [...has.tracks, later]]);
  assert.deepEqual([session.signalling.resource, session.signalling.etag], ['https://host/cam/whep/1', '"g1"']);
  session.close();
  assert.deepEqual([posts, has.pc.done.at(-1)], [['DELETE'], 'close']);
});

test('what has begun fails like what the player begins', async () => {
  const cases = [
    [begun(Promise.reject(new TypeError('refused'))), { kind: 'network' }],
    [begun(Promise.resolve(answer('', 503))), { kind: 'http', status: 503 }],
    [{ ...begun(Promise.resolve()), request: Promise.reject(new Error('no codecs')) }, { kind: 'negotiation', detail: 'no codecs' }],
  ];
  for (const [has, want] of cases) {
    await assert.rejects(new WhepSession('https://host/cam/whep', { begun: has }).open(), want);
  }
});

test('a gateway that does not answer what has begun is given up', async () => {
  const abort = new AbortController();
  const silent = new Promise((resolve, reject) => { abort.signal.addEventListener('abort', () => reject(new Error('aborted'))); });
  const has = { ...begun(silent), abort };
  globalThis.setTimeout = (then) => nativeTimeout(then, 0);
  await assert.rejects(new WhepSession('https://host/cam/whep', { begun: has }).open(), { kind: 'timeout' });
});

test('a player takes over once, and makes its own sessions after that', async (t) => {
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {}, hidden: false };
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.document;
    delete globalThis.MediaStream;
  });
  const has = begun(Promise.resolve(answer('the answer')));
  has.tracks = [Object.assign(new Event('track'), { track: {}, transceiver: { currentDirection: 'recvonly' } })];
  globalThis.MediaStream = class {
    getTracks() { return []; }
    addTrack() {}
  };
  const video = { play: async () => {}, addEventListener() {} };
  const player = new SluicePlayer(video, 'https://host/cam/whep', { begun: has });
  player.start();
  await settle();
  assert.deepEqual([posts, FakeConnection.made], [[], 0]);
  player.retry();
  await settle();
  assert.deepEqual([posts, FakeConnection.made], [['DELETE', 'POST'], 1]);
  player.stop();
});
