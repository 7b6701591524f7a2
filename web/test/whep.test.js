import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { WhepSession } from '../assets/whep.js';

const sdp = (ufrag) => `v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:pwd-of-${ufrag}\r\na=mid:0\r\n`;

// FakeConnection is as much of an RTCPeerConnection as a session needs, and keeps what was done to it.
class FakeConnection extends EventTarget {
  done = [];
  connectionState = 'new';
  iceConnectionState = 'new';
  generation = 1;
  configuration = { bundlePolicy: 'max-bundle' };

  constructor() {
    super();
    FakeConnection.last = this;
  }

  addTransceiver(kind) { this.done.push(`add ${kind}`); }

  async createOffer({ iceRestart }) {
    this.generation += 1;
    this.done.push(iceRestart ? 'restart' : 'offer');
    return { type: 'offer', sdp: sdp(`us${this.generation}`) };
  }

  async setLocalDescription(description = { type: 'offer', sdp: sdp('us1') }) { this.localDescription = description; }

  async setRemoteDescription(description) {
    this.done.push('remote');
    this.remoteDescription = description;
  }

  getConfiguration() { return this.configuration; }

  setConfiguration(configuration) {
    this.configuration = configuration;
    this.done.push(`servers ${configuration.iceServers.map(({ urls }) => urls)}`);
  }

  getTransceivers() { return []; }
  close() { this.done.push('close'); }

  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

// Node 18 has none of its own.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

async function settle() {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

const native = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
const named = '<turn:t>; rel="ice-server"; username="u"; credential="c"';
let timers;
let requests;
let link; // what the answer to the offer names
let agreed; // the answer to a PATCH
let listed; // the servers of the API

function tick(by) {
  timers.now += by;
  for (const [id, { at, then }] of [...timers.set]) {
    if (at <= timers.now && timers.set.delete(id)) {
      then();
    }
  }
}

beforeEach(() => {
  timers = { now: 0, set: new Map() };
  globalThis.setTimeout = (then, after = 0) => {
    const id = Symbol('timer');
    timers.set.set(id, { at: timers.now + after, then });
    return id;
  };
  globalThis.clearTimeout = (id) => timers.set.delete(id);
  requests = [];
  link = named;
  agreed = { status: 200, body: 'a=ice-ufrag:them2\r\na=ice-pwd:new\r\n' };
  listed = [{ urls: ['turn:t'], username: 'u', credential: 'c' }];
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.fetch = async (url, { method = 'GET', body } = {}) => {
    if (url.endsWith('/verdict')) {
      return new Response('', { status: 404 });
    }
    requests.push({ method, body });
    if (method === 'GET') {
      return new Response(JSON.stringify({ ice_servers: listed }));
    }
    const { status, body: text } = method === 'POST' ? { status: 201, body: sdp('them1') } : agreed;
    const response = new Response(text, { status, headers: { Location: '/cam/whep/1', ETag: '"g1"', ...(link && { Link: link }) } });
    Object.defineProperty(response, 'url', { value: 'https://host/cam/whep' });
    return response;
  };
});

afterEach(() => {
  Object.assign(globalThis, native);
  delete globalThis.RTCPeerConnection;
});

async function open(options) {
  const session = new WhepSession('https://host/cam/whep', options);
  session.ended = [];
  session.addEventListener('ended', ({ detail }) => session.ended.push(detail.kind));
  await session.open();
  return { session, pc: FakeConnection.last };
}

const methods = () => requests.map(({ method }) => method);

test('a viewer with a direct path never uses the servers', async () => {
  const { session, pc } = await open();
  pc.iceConnectionState = 'connected';
  tick(1_000);
  await settle();
  session.close();
  assert.deepEqual([pc.done, methods()], [['add video', 'add audio', 'remote', 'close'], ['POST', 'DELETE']]);
});

test('without a path the servers of the answer are used, by an ICE restart', async () => {
  const { session, pc } = await open();
  pc.iceConnectionState = 'checking';
  tick(999);
  await settle();
  assert.deepEqual(methods(), ['POST']);
  tick(1);
  await settle();
  assert.deepEqual(pc.done.slice(3), ['servers turn:t', 'restart', 'remote']);
  assert.match(requests[1].body, /ufrag:us2/);
  assert.match(pc.remoteDescription.sdp, /ufrag:them2/);
  pc.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: { candidate: 'candidate:1', sdpMid: '0' } }));
  tick(50);
  await settle();
  assert.match(requests[2].body, /ufrag:us2\r\n.*a=candidate:1/s, 'the gateway learns of the relay');
  tick(9_900);
  assert.deepEqual(session.ended, [], 'the restart has as long as the first attempt');
  tick(100);
  await settle();
  assert.deepEqual(session.ended, ['ice']);
});

test('a browser that gives up sooner is helped at once, and once', async () => {
  const { session, pc } = await open();
  pc.become('failed');
  await settle();
  assert.deepEqual([methods(), session.ended], [['POST', 'PATCH'], []]);
  pc.become('failed');
  await settle();
  assert.equal(session.ended.length, 1);
});

test('a browser that gives up while the restart is agreed on does not end the session', async () => {
  const { session, pc } = await open();
  tick(1_000); // the restart is on its way
  pc.become('failed');
  await settle();
  assert.deepEqual([methods(), session.ended], [['POST', 'PATCH'], []]);
  pc.become('connecting');
  pc.become('connected');
  tick(20_000);
  assert.deepEqual(session.ended, []);
  session.close();
});

test('a restart that is never agreed on ends in its time', async () => {
  const { session, pc } = await open();
  const answered = globalThis.fetch;
  globalThis.fetch = (url, options) => (options?.method === 'PATCH' ? new Promise(() => {}) : answered(url, options));
  tick(1_000);
  pc.become('failed');
  tick(9_999);
  await settle();
  assert.deepEqual(session.ended, []);
  tick(1);
  await settle();
  assert.deepEqual(session.ended, ['ice']);
});

test('a browser that has given up before the restart is refused ends the session', async () => {
  agreed = { status: 405, body: '' };
  const { session, pc } = await open();
  pc.become('failed');
  await settle();
  assert.deepEqual(session.ended, ['ice']);
});

test('a gateway without servers is not asked for more', async () => {
  link = '';
  const { session, pc } = await open();
  tick(1_000);
  await settle();
  assert.deepEqual(methods(), ['POST']);
  pc.become('failed');
  await settle();
  assert.equal(session.ended.length, 1);
});

test('a gateway that refuses the restart leaves the first attempt its time', async () => {
  agreed = { status: 405, body: '' };
  const { session, pc } = await open();
  tick(1_000);
  await settle();
  assert.deepEqual(session.ended, []);
  pc.become('connected');
  tick(20_000);
  assert.deepEqual(session.ended, []);
  session.close();
});

test('a session that has left asks for nothing', async () => {
  const { session } = await open();
  session.close();
  tick(1_000);
  await settle();
  assert.deepEqual(methods(), ['POST', 'DELETE']);
});

// G16
test('a relay session knows its servers first, and uses nothing else', async () => {
  const { session, pc } = await open({ relay: true });
  assert.deepEqual([methods(), pc.done[0]], [['GET', 'POST'], 'servers turn:t']);
  assert.deepEqual(pc.configuration, { bundlePolicy: 'max-bundle', iceTransportPolicy: 'relay', iceServers: listed });
  tick(1_000);
  await settle();
  assert.equal(requests.length, 2);
  session.close();
});

test('a relay session needs a relay', async () => {
  listed = [{ urls: ['stun:s'] }];
  await assert.rejects(new WhepSession('https://host/cam/whep', { relay: true }).open(), { kind: 'norelay' });
});
