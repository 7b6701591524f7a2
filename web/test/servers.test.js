import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { eachURL, parseServers } from '../assets/serverlist.js';
import { askServers, serversOf } from '../assets/servers.js';

const { fetch: native } = globalThis;
afterEach(() => { globalThis.fetch = native; });

const turn = { urls: 'turn:t.example:3478?transport=udp', username: 'u', credential: 's3==' };

// G13: the page asks the gateway for the servers.
test('the list of the API', async () => {
  const requests = [];
  globalThis.fetch = async (...request) => {
    requests.push(request);
    return new Response(JSON.stringify({ ice_servers: [{ urls: ['stun:s.example'] }, { urls: [turn.urls, 'http://x', 7], username: 'u', credential: 's3==', expire_time: 'x' }] }));
  };
  const want = [{ urls: ['stun:s.example'] }, { ...turn, urls: [turn.urls] }];
  assert.deepEqual(await askServers('https://host/cam/whep'), want);
  const [[url, { cache }]] = requests;
  assert.deepEqual([url, cache], ['https://host/api/v1/ice', 'no-store']);
});

test('a list that is none', () => {
  for (const body of [undefined, null, {}, [], { ice_servers: 'x' }, { ice_servers: [{}, { urls: 'http://x' }, { urls: [] }] }]) {
    assert.deepEqual(serversOf(body), [], JSON.stringify(body));
  }
});

test('a gateway that tells none', async () => {
  globalThis.fetch = async () => new Response('{"detail":"No."}', { status: 403, headers: { 'Content-Type': 'application/problem+json' } });
  await assert.rejects(askServers('https://host/'), { kind: 'http', status: 403, detail: 'No.' });
  globalThis.fetch = () => Promise.reject(new TypeError('refused'));
  await assert.rejects(askServers('https://host/'), { kind: 'network' });
  globalThis.fetch = () => Promise.reject(Object.assign(new Error('late'), { name: 'TimeoutError' }));
  await assert.rejects(askServers('https://host/'), { kind: 'timeout' });
});

test('servers as people paste them', () => {
  const stun = { urls: 'stun:s.example:3478' };
  const cases = {
    lines: [`\n stun:s.example:3478\r\n\n${turn.urls}  u\ts3==\n`, [stun, turn]],
    'a configuration of a page': [JSON.stringify({ iceServers: [stun, turn] }), [stun, turn]],
    'the answer of the API': [JSON.stringify({ ice_servers: [{ ...turn, urls: [turn.urls] }] }), [turn]],
    'one server': [JSON.stringify(turn), [turn]],
    'the old name of urls': ['[{"url":"stun:s.example:3478"}]', [stun]],
    'several URLs': [JSON.stringify([{ ...turn, urls: [turn.urls, 'turns:t.example'] }]), [turn, { ...turn, urls: 'turns:t.example' }]],
    'Link headers': [`Link: <stun:s.example:3478>; rel="ice-server"\n<${turn.urls}>; rel="ice-server"; username="u"; credential="s3=="`, [stun, turn]],
    'an IPv6 address': ['stun:[2001:db8::1]:3478', [{ urls: 'stun:[2001:db8::1]:3478' }]],
  };
  for (const [name, [text, want]] of Object.entries(cases)) {
    assert.deepEqual(parseServers(text), want, name);
  }
});

test('what is no server is told, without its password', () => {
  const cases = {
    empty: ['', /no server in this/],
    'broken JSON': ['[{', /is no JSON/],
    'JSON of something else': ['{"a":1}', /no server in this/],
    'another URL': ['https://example.org', /no URL of a STUN/],
    'no scheme': ['example.org:3478', /no URL of a STUN/],
    'TURN without a password': ['turn:t.example u', /needs a user name and a password/],
    'TURN without a user': ['turn:t.example', /needs a user name and a password/],
    'a password in the URL': ['turn:u:hunter2@t.example', /^turn:…@t\.example is no URL/],
  };
  for (const [name, [text, want]] of Object.entries(cases)) {
    assert.throws(() => parseServers(text), ({ message }) => want.test(message) && !message.includes('hunter2'), name);
  }
});

test('each URL of a server is tested alone', () => {
  assert.deepEqual(eachURL([{ urls: ['a', 'b'], username: 'u' }, { urls: 'c' }]), [{ urls: 'a', username: 'u' }, { urls: 'b', username: 'u' }, { urls: 'c' }]);
});
