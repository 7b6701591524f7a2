import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { describe, Failure, verdictText } from '../assets/failure.js';
import { Session } from '../assets/session.js';
import { askVerdict } from '../assets/signalling.js';
import { describeTrouble } from '../assets/trouble.js';

// Node 18 has none of its own.
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

const { fetch } = globalThis;
afterEach(() => {
  globalThis.fetch = fetch;
  delete globalThis.RTCPeerConnection;
});

// serve answers requests by URL, and resolves to those that have come.
function serve(answers) {
  const asked = [];
  globalThis.fetch = async (url, { method = 'GET' } = {}) => {
    asked.push(`${method} ${url}`);
    const body = answers[url];
    return { ok: body !== undefined, json: async () => body };
  };
  return asked;
}

// Every reason of the gateway's that a connection may fail by has words of its own, and one thing to try.
const failing = [
  ['nothing_announced', '', /Tell whoever runs it/],
  ['loopback_only', '', /Open this page there/],
  ['nothing_arrived', '', /Try another network, such as mobile data/],
  ['no_candidates_usable', '', /Try another network/],
  ['relay_unreachable', '', /relay.*Try another network/],
  ['arrived_not_answered', '', /do not come back.*Switch off a VPN/],
  ['wrong_credentials', '', /Reload the page/],
  ['dtls_failed', 'certificate', /encryption.*Switch off a VPN/],
  ['dtls_failed', 'refused', /encryption.*Switch off a VPN/],
  ['dtls_failed', 'profile', /Update the browser/],
  ['dtls_failed', 'timeout', /Small packets.*Switch off a VPN/],
  ['dtls_failed', 'no_hello', /only the first packets.*Switch off a VPN/],
  ['nothing_arrived', 'loopback', /own machine.*If you are elsewhere, tell whoever runs/],
];

test('a connection that failed is told in the words for what the gateway has seen', () => {
  for (const [reason, detail, want] of failing) {
    const failure = new Failure('ice', { verdict: { reason, detail } });
    const watching = describe(failure);
    assert.equal(watching.title, 'No way for the picture', reason);
    assert.match(watching.text, want, reason);
    const publishing = describeTrouble(failure);
    assert.equal(publishing.title, 'No way to the gateway', reason);
    assert.equal(publishing.text, watching.text, reason);
    assert.doesNotMatch(watching.text, /UDP|ICE|DTLS|STUN|TURN|candidate|listen_/, `${reason} is told to an operator`);
  }
});

test('a picture that does not come', () => {
  const told = (detail, cause) => describe(new Failure('nopicture', { verdict: { reason: 'connected_no_media', detail } }), cause);
  assert.match(told('no_keyframe', { noun: 'camera' }).text, /^The camera sends, but has not begun a picture yet\./);
  assert.match(told('unheard').text, /lost on the way/);
  assert.equal(told('source_offline').text, describe(new Failure('nopicture')).text);
  const away = { noun: 'camera', error: 'connection refused', fault: '', making: false };
  assert.match(told('no_keyframe', away).text, /^Connection refused\./, 'what the API says of the source comes first');
});

test('without a verdict the words are the old ones', () => {
  for (const verdict of [undefined, { reason: '' }, { reason: 'of_another_release' }]) {
    assert.equal(verdictText(verdict), undefined);
    assert.deepEqual(describe(new Failure('ice', { verdict })), describe(new Failure('ice')));
  }
});

test('the gateway is asked at the URL of the session', async () => {
  const asked = serve({ 'http://gw/cam/whep/id/verdict': { reason: 'nothing_arrived' } });
  assert.deepEqual(await askVerdict('http://gw/cam/whep/id'), { reason: 'nothing_arrived' });
  assert.equal(await askVerdict('http://gw/cam/whep/other'), undefined);
  assert.equal(await askVerdict(''), undefined);
  globalThis.fetch = async () => { throw new TypeError('no network'); };
  assert.equal(await askVerdict('http://gw/cam/whep/id'), undefined);
  assert.deepEqual(asked, ['GET http://gw/cam/whep/id/verdict', 'GET http://gw/cam/whep/other/verdict']);
});

test('a session that never was connected asks before it leaves', async () => {
  const resource = 'http://gw/cam/whep/id';
  for (const kind of ['ice', 'lost']) {
    const asked = serve({ [`${resource}/verdict`]: { reason: 'nothing_arrived' } });
    const session = new Session('http://gw/cam/whep');
    session.signalling.resource = resource;
    const ended = new Promise((resolve) => { session.addEventListener('ended', ({ detail }) => resolve(detail)); });
    session.end(kind);
    session.end(kind);
    const failure = await ended;
    assert.equal(failure.kind, 'ice');
    assert.deepEqual(failure.verdict, { reason: 'nothing_arrived' });
    assert.deepEqual(asked, [`GET ${resource}/verdict`, `DELETE ${resource}`]);
  }
});

// asking is a session that has given up and asks the gateway, with a connection that changes meanwhile: become gives it
// another state, answer has the gateway answer.
async function asking() {
  let answer;
  globalThis.RTCPeerConnection = class {};
  globalThis.fetch = (url, { method = 'GET' } = {}) => (method === 'GET'
    ? new Promise((resolve) => { answer = () => resolve({ ok: true, json: async () => ({ reason: 'nothing_arrived' }) }); })
    : Promise.resolve({ ok: true }));
  const session = new Session('http://gw/cam/whep', {}, {
    pc: Object.assign(new EventTarget(), { connectionState: 'new', getTransceivers: () => [], close() {} }),
    request: Promise.resolve({ response: Promise.resolve(new Response('', { status: 201 })) }), applied: Promise.resolve(), tracks: [],
  });
  await session.open();
  session.signalling.resource = 'http://gw/cam/whep/id';
  session.failures = [];
  session.addEventListener('ended', ({ detail }) => session.failures.push([detail.kind, detail.verdict]));
  const become = (state) => {
    session.pc.connectionState = state;
    session.pc.dispatchEvent(new Event('connectionstatechange'));
  };
  const ending = session.end('ice');
  return { session, become, ending, answer: () => answer() };
}

test('a connection that comes about while the gateway is asked goes on', async () => {
  const { session, become, ending, answer } = await asking();
  become('connected');
  answer();
  await ending;
  assert.deepEqual([session.failures, session.over], [[], false]);
  become('failed');
  await new Promise(setImmediate);
  assert.deepEqual(session.failures, [['lost', undefined]], 'it can still end');
});

test('a connection that comes about and fails again while the gateway is asked has ended', async () => {
  const { session, become, ending, answer } = await asking();
  become('connected');
  become('failed');
  assert.deepEqual(session.failures, []);
  answer();
  await ending;
  assert.deepEqual([session.failures, session.over], [[['lost', undefined]], true]);
});

test('a session that is closed meanwhile tells nothing', async () => {
  serve({});
  const session = new Session('http://gw/cam/whep');
  session.addEventListener('ended', () => assert.fail('it has told'));
  const ending = session.end('ice');
  session.close();
  await ending;
});
