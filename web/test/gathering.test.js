import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { candidateOf, gather, transportOf } from '../assets/gathering.js';

// FakeConnection gathers what a test has it find.
class FakeConnection extends EventTarget {
  done = [];

  constructor(configuration) {
    super();
    this.configuration = configuration;
    FakeConnection.last = this;
  }

  createDataChannel() { this.done.push('channel'); }
  async setLocalDescription() { this.done.push('local'); }
  close() { this.done.push('close'); }
  find(candidate) { this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate })); }
  fail(errorCode, errorText) { this.dispatchEvent(Object.assign(new Event('icecandidateerror'), { errorCode, errorText })); }
}

const timers = [];
const native = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

beforeEach(() => {
  timers.length = 0;
  globalThis.setTimeout = (then, after) => timers.push({ then, after });
  globalThis.clearTimeout = () => {};
});
afterEach(() => Object.assign(globalThis, native));

const server = { urls: 'turn:t.example', username: 'u', credential: 'c' };
const found = (type, address = '192.0.2.1') => ({ candidate: 'candidate:…', type, protocol: 'udp', address, port: 5000, relatedAddress: null, relatedPort: null });

// start begins to gather, and keeps how often the page was told.
function start(by) {
  const told = [];
  const ended = gather(by, (gathering) => told.push(structuredClone(gathering)), (configuration) => new FakeConnection(configuration));
  return { told, ended, pc: FakeConnection.last };
}

// G14
test('a server gives what is not known without it', async () => {
  const { told, ended, pc } = start(server);
  pc.find(found('host'));
  pc.find(found('relay'));
  pc.find(found('relay'));
  pc.fail(701, undefined);
  pc.find({ candidate: '' }); // the end of one generation, in Firefox
  assert.equal(told.at(-1).ended, false);
  pc.find(null);
  const { url, candidates, errors, silent } = await ended;
  assert.deepEqual([pc.configuration, pc.done], [{ iceServers: [server] }, ['channel', 'local', 'close']]);
  assert.deepEqual([url, candidates.map(({ kind }) => kind), errors, silent], ['turn:t.example', ['relay'], [{ code: 701, text: '' }], false]);
  assert.equal(told.at(-1).ended, true);
});

test('without a server there are own addresses only', async () => {
  const { ended, pc } = start(undefined);
  pc.find(found('host'));
  pc.find(found('host', '2001:db8::1'));
  pc.find(null);
  const { url, candidates } = await ended;
  assert.deepEqual([pc.configuration, url], [{ iceServers: [] }, '']);
  assert.deepEqual(candidates.map(({ address }) => address), ['192.0.2.1:5000', '[2001:db8::1]:5000']);
});

test('a server that says nothing is given up', async () => {
  const { ended, pc } = start(server);
  timers[0].then();
  const { silent, candidates } = await ended;
  assert.deepEqual([silent, candidates, timers[0].after, pc.done.at(-1)], [true, [], 12_000, 'close']);
});

test('a server that the browser will not have', async () => {
  const told = [];
  const { errors, ended } = await gather(server, (gathering) => told.push(gathering), () => { throw new Error('the port is blocked'); });
  assert.deepEqual([errors, ended, told.length], [[{ code: 0, text: 'the port is blocked' }], true, 1]);
});

test('a candidate', () => {
  const relay = { type: 'relay', protocol: 'udp', address: '198.51.100.1', port: 50000, relatedAddress: '203.0.113.9', relatedPort: 4242, relayProtocol: 'tls' };
  const row = { kind: 'relay', protocol: 'tls', address: '198.51.100.1:50000', related: '203.0.113.9:4242', url: 'turns:t', after: 12 };
  assert.deepEqual(candidateOf(relay, 'turns:t', 12.4), row);
  assert.equal(candidateOf({ ...relay, relayProtocol: undefined }, 'turn:t?transport=tcp', 1).protocol, 'tcp', 'Firefox tells no protocol');
  assert.equal(candidateOf({ ...relay, relatedAddress: '0.0.0.0', relatedPort: 0 }, 'turns:t', 1).related, '', 'a hidden one');
});

test('transports', () => {
  const cases = { 'stun:s': 'udp', 'turn:t?transport=udp': 'udp', 'turn:t:443?transport=tcp': 'tcp', 'TURNS:t?transport=tcp': 'tls', 'stuns:s': 'tls' };
  for (const [url, want] of Object.entries(cases)) {
    assert.equal(transportOf(url), want, url);
  }
});
