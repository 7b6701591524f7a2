import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { SluicePlayer } from '../assets/player.js';

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

const { fetch, setInterval: nativeInterval } = globalThis;
const clock = Object.getOwnPropertyDescriptor(globalThis, 'performance'); // Node 18 lets nobody write to performance.now
const verdict = { reason: 'connected_no_media', detail: 'no_keyframe' };
let now; // in milliseconds
let sample; // what the player does twice a second
let video; // what the browser counts of it
let asked; // URLs of verdicts

beforeEach(() => {
  now = 0;
  video = { type: 'inbound-rtp', kind: 'video', framesDecoded: 0, bytesReceived: 0 };
  asked = [];
  Object.defineProperty(globalThis, 'performance', { value: { now: () => now }, configurable: true });
  globalThis.setInterval = (then) => { sample = then; };
  globalThis.addEventListener = () => {};
  globalThis.document = { addEventListener() {}, hidden: false };
  globalThis.RTCPeerConnection = class {};
  globalThis.MediaStream = class {
    tracks = [];
    addTrack(track) { this.tracks.push(track); }
    getTracks() { return this.tracks; }
    getVideoTracks() { return this.tracks; }
  };
  globalThis.fetch = async (url) => {
    asked.push(url);
    return new Response(JSON.stringify(verdict));
  };
});

afterEach(() => {
  Object.defineProperty(globalThis, 'performance', clock);
  Object.assign(globalThis, { fetch, setInterval: nativeInterval });
  for (const name of ['addEventListener', 'document', 'RTCPeerConnection', 'MediaStream']) {
    delete globalThis[name];
  }
});

// connected is a player whose connection stands, in a page that tells of no first picture.
async function connected() {
  const response = new Response('', { status: 201, headers: { Location: '/cam/whep/1' } });
  Object.defineProperty(response, 'url', { value: 'https://host/cam/whep' });
  const pc = Object.assign(new EventTarget(), {
    connectionState: 'connected', iceConnectionState: 'connected', getTransceivers: () => [], close() {},
    getStats: async () => new Map([['video', { ...video }]]),
  });
  const track = Object.assign(new Event('track'), { track: { kind: 'video' }, transceiver: { currentDirection: 'recvonly' } });
  const begun = {
    pc, tracks: [track], askedAt: 0, abort: new AbortController(), request: Promise.resolve({ response: Promise.resolve(response) }), applied: Promise.resolve(),
  };
  const player = new SluicePlayer({ play: async () => {}, addEventListener() {} }, 'https://host/cam/whep', { begun });
  player.start();
  await settle();
  return player;
}

// pass lets time go by, with or without pictures.
async function pass(milliseconds, pictures = false) {
  for (const end = now + milliseconds; now < end;) {
    now += 500;
    if (pictures) {
      video.framesDecoded += 15;
      video.bytesReceived += 50_000;
    }
    sample();
    await settle();
  }
}

test('a picture that does not come is told in the words of the gateway', async () => {
  const player = await connected();
  await pass(7_500);
  assert.deepEqual([player.state, player.failure.kind, asked], ['waiting', 'nopicture', []]);
  await pass(1_000);
  assert.deepEqual([player.failure.verdict, asked], [verdict, ['https://host/cam/whep/1/verdict']]);
  player.stop();
});

test('what was wrong before the picture came is not said of a later stall', async () => {
  const player = await connected();
  await pass(8_500);
  assert.deepEqual(player.failure.verdict, verdict);
  await pass(1_000, true);
  assert.deepEqual([player.state, player.failure], ['playing', undefined]);
  await pass(4_000);
  assert.deepEqual([player.state, player.failure.kind, player.failure.verdict], ['waiting', 'stalled', undefined]);
  player.stop();
});

test('a verdict that comes after the picture is not kept', async () => {
  let answer;
  globalThis.fetch = (url) => (url.endsWith('/verdict') ? new Promise((resolve) => { answer = () => resolve(new Response(JSON.stringify(verdict))); }) : Promise.resolve(new Response('')));
  const player = await connected();
  await pass(8_500);
  await pass(1_000, true);
  answer();
  await settle();
  await pass(4_000);
  assert.deepEqual([player.failure.kind, player.failure.verdict], ['stalled', undefined]);
  player.stop();
});
