import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import vm from 'node:vm';
import { WhepSession } from '../assets/whep.js';

const script = await readFile(new URL('../inline/ask.js', import.meta.url), 'utf8');

// FakeConnection is as much of an RTCPeerConnection as an offer needs, and keeps what was done to it.
class FakeConnection extends EventTarget {
  static fault = undefined; // of all offers
  static barred = undefined; // why there can be none
  done = [];

  constructor(configuration) {
    super();
    if (FakeConnection.barred) {
      throw FakeConnection.barred;
    }
    this.done.push(configuration);
    FakeConnection.last = this;
  }

  addTransceiver(...which) { this.done.push(which); }

  async setLocalDescription(...description) {
    this.done.push(description);
    if (FakeConnection.fault) {
      throw FakeConnection.fault;
    }
    this.localDescription = { type: 'offer', sdp: 'the offer' };
  }

  async setRemoteDescription(description) { this.done.push(description); }
  getTransceivers() { return []; }
  close() { this.done.push('close'); }
}

// page runs the script in a page in which fetch has the given outcome. Its pauses are over at once; none ends without
// one if pausing is false.
function page({ outcome = Promise.resolve(new Response('')), fault = undefined, barred = undefined, able = true, pausing = true, search = '', readyState = 'interactive' } = {}) {
  FakeConnection.fault = fault;
  FakeConnection.barred = barred;
  const log = [];
  const style = new EventTarget();
  const root = { hidden: false, dataset: { endpoint: '/cam/whep' } };
  const player = new EventTarget();
  const rest = { querySelector: (selector) => ({ 'link[rel="stylesheet"]': style, script: player })[selector] };
  const parts = { rest: { content: rest }, badge: {}, 'banner-title': {}, 'banner-text': {}, retry: {}, banner: { hidden: true } };
  const reader = new EventTarget();
  const context = {
    document: Object.assign(reader, {
      documentElement: root, readyState,
      getElementById: (id) => parts[id],
      head: { append: (what) => log.push(what === rest ? 'rest' : what) },
    }),
    performance, AbortController, URLSearchParams, location: { search, reload: () => log.push('reload') },
    setTimeout: (then) => {
      log.push('pause');
      if (pausing) {
        setImmediate(then);
      }
    },
    fetch: (...request) => {
      log.push(request);
      return outcome;
    },
    ...(able && { RTCPeerConnection: FakeConnection }),
  };
  vm.runInNewContext(script, context);
  return { root, style, player, reader, parts, log, context };
}

// settle lets all that is under way come to its end.
async function settle() {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

const plain = (value) => JSON.parse(JSON.stringify(value));

test('the stream is asked for before anything else of the page, and once', async () => {
  const { log, context } = page({ outcome: new Promise(() => {}) });
  await settle();
  const [[url, { method, headers, body, signal }], ...then] = log;
  assert.deepEqual([url, method, body, then], ['/cam/whep', 'POST', 'the offer', ['pause', 'rest']]);
  assert.deepEqual(plain(headers), { 'Content-Type': 'application/sdp', Accept: 'application/sdp' });
  const { pc, abort, askedAt } = context.sluiceBegun;
  assert.equal(pc, FakeConnection.last);
  assert.equal(signal, abort.signal);
  assert.ok(askedAt <= performance.now());
});

test('an answer is applied at once, and the rest of the page need not wait for a pause', async () => {
  const { log, context } = page({ outcome: Promise.resolve(new Response('the answer', { status: 201 })), pausing: false });
  await context.sluiceBegun.applied;
  await settle();
  assert.deepEqual(log.slice(1), ['pause', 'rest']);
  assert.deepEqual(plain(FakeConnection.last.done.at(-1)), { type: 'answer', sdp: 'the answer' });
  const { response } = await context.sluiceBegun.request;
  assert.equal(await (await response).text(), 'the answer', 'the player can still read it');
  const track = new Event('track');
  FakeConnection.last.ontrack(track);
  assert.deepEqual([...context.sluiceBegun.tracks], [track]);
});

test('a refusal is left to the player', async () => {
  const { context } = page({ outcome: Promise.resolve(new Response('', { status: 503 })) });
  await context.sluiceBegun.applied;
  assert.deepEqual(FakeConnection.last.done.at(-1), [], 'the local description was the last');
});

test('what the page asks for is what the player would', async (t) => {
  const { log } = page({ outcome: new Promise(() => {}) });
  await settle();
  const asked = [FakeConnection.last.done, log[0]];
  const { fetch: native } = globalThis;
  t.after(() => { globalThis.fetch = native; });
  const posts = [];
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.fetch = (...request) => {
    posts.push(request);
    throw new TypeError('that is enough');
  };
  await assert.rejects(new WhepSession('/cam/whep').open());
  assert.deepEqual(plain([FakeConnection.last.done, posts[0]]), plain(asked));
});

test('the rest of the page comes whatever becomes of the question', async () => {
  for (const trouble of [{ outcome: Promise.reject(new TypeError('refused')) }, { fault: new Error('no codecs') }, { barred: new Error('too many connections') }, { able: false }]) {
    const { log, context } = page(trouble);
    await settle();
    assert.equal(log.at(-1), 'rest');
    assert.equal(context.sluiceBegun === undefined, trouble.able === false || 'barred' in trouble);
  }
});

test('a page that is to go through a relay leaves the question to the player, who knows of none yet', () => {
  const { log, context } = page({ search: '?relay=1' });
  assert.deepEqual([log, context.sluiceBegun], [['rest'], undefined]);
});

test('the page is hidden until it has a style, or will have none', () => {
  for (const type of ['load', 'error']) {
    const { root, style } = page();
    assert.equal(root.hidden, true);
    style.dispatchEvent(new Event(type));
    assert.equal(root.hidden, false);
  }
});

test('a page whose player does not arrive says so, and is loaded again on a click', () => {
  for (const readyState of ['loading', 'interactive']) {
    const { root, player, reader, parts, log } = page({ outcome: new Promise(() => {}), readyState });
    player.dispatchEvent(new Event('error'));
    assert.equal(parts.banner.hidden, readyState === 'loading', 'a page that is still read has no banner yet');
    reader.dispatchEvent(new Event('DOMContentLoaded'));
    assert.deepEqual([root.dataset.state, parts.banner.hidden, parts['banner-title'].textContent], ['error', false, 'This page did not load completely']);
    assert.equal(FakeConnection.last.done.at(-1), 'close');
    parts.retry.onclick();
    assert.equal(log.at(-1), 'reload');
  }
});
