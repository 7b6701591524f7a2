import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Publisher } from '../assets/publisher.js';

// Node 18 has none of its own.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

// FakeConnection is as much of an RTCPeerConnection as a publisher needs.
class FakeConnection extends EventTarget {
  connectionState = 'new';

  constructor() {
    super();
    FakeConnection.last = this;
  }

  addTransceiver() { return {}; }
  async createOffer() { return { type: 'offer', sdp: 'v=0\r\n' }; }
  async setLocalDescription() {}
  async setRemoteDescription() {}
  async getStats() { return new Map(); }
  getTransceivers() { return []; }
  close() {}

  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

const { fetch, setTimeout: later } = globalThis;
const stream = { getTracks: () => [{ kind: 'audio' }] };
let posts; // of offers
let verdict; // what the gateway says of a session; undefined: it can't be asked
let publisher;

beforeEach(() => {
  posts = 0;
  globalThis.setTimeout = (then, milliseconds) => later(then, milliseconds / 100); // outages take seconds
  globalThis.addEventListener = () => {};
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.fetch = async (url, { method = 'GET' } = {}) => {
    if (method === 'POST') {
      posts += 1;
      const response = new Response('v=0\r\n', { status: 201, headers: { Location: `/cam/whip/${posts}` } });
      Object.defineProperty(response, 'url', { value: 'https://host/cam/whip' });
      return response;
    }
    if (method === 'GET' && verdict && url.endsWith('/cam/whip/1/verdict')) {
      return new Response(JSON.stringify(verdict));
    }
    return new Response('', { status: 404 });
  };
  publisher = new Publisher('https://host/cam/whip');
});

afterEach(() => {
  publisher.stop();
  Object.assign(globalThis, { fetch, setTimeout: later });
  for (const name of ['addEventListener', 'RTCPeerConnection']) {
    delete globalThis[name];
  }
});

// until resolves when the publisher is as wanted.
async function until(wanted) {
  for (let round = 0; round < 1_000 && !wanted(); round += 1) {
    await new Promise((resolve) => { later(resolve, 10); });
  }
  assert.ok(wanted(), `it stays ${publisher.state} after ${posts} offers`);
}

// lose publishes, and has the connection break without a word of the server's.
async function lose() {
  publisher.start(stream);
  await until(() => posts === 1);
  FakeConnection.last.become('connected');
  assert.equal(publisher.state, 'live');
  FakeConnection.last.become('disconnected'); // the restart is refused: there is no such session
}

test('a publisher that was replaced, and has not heard it, does not take the stream back', async () => {
  verdict = { reason: 'replaced', detail: 'replaced' };
  await lose();
  await until(() => publisher.state === 'failed');
  assert.equal(publisher.failure.kind, 'replaced');
  assert.equal(posts, 1);
});

for (const [name, said] of Object.entries({ 'that vanished': { reason: '', detail: '' }, 'of which nobody knows': undefined })) {
  test(`a publisher ${name} comes again`, async () => {
    verdict = said;
    await lose();
    await until(() => posts === 2);
    FakeConnection.last.become('connected');
    await until(() => publisher.state === 'live');
  });
}
