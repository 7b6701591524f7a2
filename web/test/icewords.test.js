import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorWords, reportText, rowWords, verdictOf } from '../assets/icewords.js';

const gathering = (url, more = {}) => ({ url, candidates: [], errors: [], ended: true, silent: false, ...more });
const candidate = (kind, protocol = 'udp') => ({ kind, protocol, address: '203.0.113.9:4242', related: '', url: 'turn:t', after: 30 });

// G14: a sentence for each server.
test('what a server did', () => {
  const srflx = candidate('srflx');
  const refused = [{ code: 701, text: '' }, { code: 401, text: 'Unauthorized.' }];
  const cases = [
    [gathering('stun:s', { ended: false }), 'testing', 'Trying STUN over UDP …'],
    [gathering('turns:t', { ended: false, candidates: [srflx] }), 'testing', 'Trying TURN over TLS over TCP …'],
    [gathering('stun:s', { candidates: [srflx], ended: false }), 'works', 'STUN works over UDP: it sees this device as 203.0.113.9:4242, after 30 ms.'],
    [gathering('turn:t', { candidates: [srflx, candidate('relay', 'tls')], errors: refused }), 'works', 'TURN works over TLS over TCP: it relays by 203.0.113.9:4242, after 30 ms.'],
    [gathering('stun:s'), 'works', "STUN answers over UDP, with this device's own address: no NAT lies between."],
    [gathering('stun:s', { silent: true }), 'fails', 'STUN does not work over UDP: it does not answer.'],
    [gathering('stun:s', { errors: [{ code: 701, text: 'STUN host lookup received error.' }] }), 'fails', 'STUN does not work over UDP: it could not be reached (701: STUN host lookup received error).'],
    [gathering('turn:t?transport=tcp'), 'fails', 'TURN does not work over TCP: the browser does not say why.'],
    [gathering('turn:t', { candidates: [srflx], errors: refused }), 'fails', 'TURN answers over UDP, but gave no relay: it refused the user name or the password; they may have expired (401: Unauthorized).'],
    [gathering('stun:s:9', { errors: [{ code: 0, text: 'the port is blocked' }] }), 'fails', 'STUN does not work over UDP: the browser will not use it (the port is blocked).'],
  ];
  for (const [what, state, words] of cases) {
    assert.deepEqual(verdictOf(what), { state, words });
  }
});

test('errors', () => {
  assert.equal(errorWords({ code: 486, text: 'Allocation Quota Reached' }), 'this user has as many relays as he may (486: Allocation Quota Reached)');
  assert.equal(errorWords({ code: 508, text: '' }), 'it has no room for another relay (508)');
  assert.equal(errorWords({ code: 699, text: ' Odd. ' }), 'it answered with an error (699: Odd)');
});

test('a row', () => {
  assert.deepEqual(rowWords(candidate('relay', 'tcp')), ['Relay (TURN)', 'TCP', '203.0.113.9:4242', '', 'turn:t', '30 ms']);
});

test('the text to send has no password', () => {
  const gatherings = [gathering('', { candidates: [{ ...candidate('host'), url: '' }] }), gathering('turn:t', { candidates: [candidate('relay')], username: 'u', credential: 'hunter2' })];
  const text = reportText(gatherings, { page: 'https://host', browser: 'Browser 1', date: 'today' });
  assert.equal(text, [
    'ICE test of https://host', 'today · Browser 1', '', 'Servers', '  turn:t: TURN works over UDP: it relays by 203.0.113.9:4242, after 30 ms.', '',
    'Candidates', '  Own address · UDP · 203.0.113.9:4242 · 30 ms', '  Relay (TURN) · UDP · 203.0.113.9:4242 · turn:t · 30 ms', '',
  ].join('\n'));
  assert.match(reportText([], { page: '', browser: '', date: '' }), /Servers\n {2}none\n\nCandidates\n {2}none\n$/);
});
