import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { WhipSession } from '../assets/whip.js';

const sdp = (ufrag) => `v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:pwd-of-${ufrag}\r\na=mid:0\r\n`;

// FakeConnection is as much of an RTCPeerConnection as a session needs, and keeps what was done to it.
class FakeConnection extends EventTarget {
  done = [];
  connectionState = 'new';
  generation = 0;

  constructor() {
    super();
    FakeConnection.last = this;
  }

  addTransceiver(track, { sendEncodings }) {
    this.done.push(`add ${track.kind}${sendEncodings ? ` ${sendEncodings.length}` : ''}`);
    return { setCodecPreferences: (codecs) => this.done.push(`prefer ${codecs.map(({ mimeType }) => mimeType)}`) };
  }

  async createOffer(options) {
    this.generation += 1;
    this.done.push(options?.iceRestart ? 'restart' : 'offer');
    return { type: 'offer', sdp: sdp(`us${this.generation}`) };
  }

  async setLocalDescription(description) {
    this.done.push('local');
    this.localDescription = description;
  }

  async setRemoteDescription(description) {
    this.done.push('remote');
    this.remoteDescription = description;
  }

  getConfiguration() { return { bundlePolicy: 'max-bundle' }; }
  setConfiguration({ iceServers }) { this.done.push(`servers ${iceServers.map(({ urls }) => urls)}`); }
  getTransceivers() { return []; }
  close() { this.done.push('close'); }

  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  find(candidate) {
    const event = new Event('icecandidate');
    event.candidate = candidate;
    this.dispatchEvent(event);
  }
}

const stream = { getTracks: () => [{ kind: 'video', getSettings: () => ({ height: 720 }) }, { kind: 'audio' }] };

// settle lets all that is under way come to its end, which takes some rounds.
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

const { fetch: native } = globalThis;
let requests;
let patched; // the answer to the next PATCH

// clock stands for setTimeout, whose stand-in in Node 18 is another one than in Node 20.
const clock = {
  now: 0,
  timers: new Map(),
  native: { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout },
  enable() {
    this.timers.clear();
    globalThis.setTimeout = (then, after = 0) => {
      const id = Symbol('timer');
      this.timers.set(id, { at: this.now + after, then });
      return id;
    };
    globalThis.clearTimeout = (id) => this.timers.delete(id);
  },
  reset() { Object.assign(globalThis, this.native); },
  tick(by) {
    this.now += by;
    for (const [id, { at, then }] of [...this.timers]) {
      if (at <= this.now && this.timers.delete(id)) {
        then();
      }
    }
  },
};

beforeEach(() => {
  clock.enable();
  requests = [];
  patched = { status: 204 };
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.RTCRtpSender = { getCapabilities: () => ({ codecs: ['VP8', 'H264', 'rtx'].map((name) => ({ mimeType: `video/${name}` })) }) };
  globalThis.fetch = async (url, { method, headers = {}, body }) => {
    requests.push({ method, ifMatch: headers['If-Match'], body });
    const { status, text = null, etag } = method === 'POST' ? { status: 201, text: sdp('them1'), etag: '"g1"' } : patched;
    const response = new Response(text, {
      status, headers: { Location: '/cam/whip/1', Link: '<stun:s>; rel="ice-server"', ...(etag && { ETag: etag }) },
    });
    Object.defineProperty(response, 'url', { value: 'https://host/cam/whip' });
    return response;
  };
});

afterEach(() => {
  clock.reset();
  globalThis.fetch = native;
  delete globalThis.RTCPeerConnection;
  delete globalThis.RTCRtpSender;
});

async function open(options) {
  const session = new WhipSession('https://host/cam/whip', stream, options);
  session.ended = [];
  session.addEventListener('ended', ({ detail }) => session.ended.push(detail.kind));
  await session.open();
  return { session, pc: FakeConnection.last };
}

test('gathering begins with the servers that the answer names', async () => {
  const { session, pc } = await open({ simulcast: true, codec: 'h264' });
  assert.deepEqual(pc.done, ['add video 3', 'prefer video/H264,video/rtx', 'add audio', 'offer', 'servers stun:s', 'local', 'remote']);
  session.close();
  assert.deepEqual(requests.map(({ method }) => method), ['POST', 'DELETE']);
});

test('candidates go together, under the ETag', async () => {
  const { session, pc } = await open();
  pc.find({ candidate: 'candidate:1', sdpMid: '0' });
  pc.find({ candidate: 'candidate:2', sdpMid: '0' });
  pc.find(null);
  clock.tick(50);
  await settle();
  assert.equal(requests.length, 2);
  assert.equal(requests[1].ifMatch, '"g1"');
  assert.match(requests[1].body, /ufrag:us1\r\n.*a=candidate:1\r\na=candidate:2\r\na=end-of-candidates\r\n$/s);
  session.close();
});

test('a server that takes no candidates gets no more', async () => {
  const { session, pc } = await open();
  patched = { status: 405 };
  for (const name of ['candidate:1', 'candidate:2']) {
    pc.find({ candidate: name, sdpMid: '0' });
    clock.tick(50);
    await settle();
  }
  assert.deepEqual(requests.map(({ method }) => method), ['POST', 'PATCH']);
  session.close();
});

test('a lost path is mended by an ICE restart', async () => {
  const { session, pc } = await open();
  pc.become('connected');
  patched = { status: 200, text: 'a=ice-ufrag:them2\r\na=ice-pwd:new\r\n', etag: '"g2"' };
  pc.become('disconnected');
  pc.find({ candidate: 'candidate:9', sdpMid: '0' });
  await settle();
  assert.equal(requests[1].ifMatch, '*');
  assert.match(requests[1].body, /ufrag:us2/);
  assert.match(pc.remoteDescription.sdp, /ufrag:them2\r\na=ice-pwd:new/);
  patched = { status: 204 };
  clock.tick(50);
  await settle();
  assert.equal(requests[2].ifMatch, '"g2"', 'candidates wait for the new generation');
  pc.become('connected');
  clock.tick(60_000);
  assert.deepEqual(session.ended, []);
  session.close();
});

test('a session that the server has forgotten ends', async () => {
  const { session, pc } = await open();
  pc.become('connected');
  patched = { status: 404 };
  pc.become('failed');
  await settle();
  assert.deepEqual(session.ended, ['lost']);
});

test('a restart that nobody answers ends in time', async () => {
  const { session, pc } = await open();
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: true }, configurable: true });
  pc.become('connected');
  globalThis.fetch = () => Promise.reject(new TypeError('no network'));
  pc.become('disconnected');
  await settle();
  clock.tick(10_000);
  await settle();
  assert.deepEqual(session.ended, ['lost']);
});
