import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, makeFragment, restarted } from '../assets/fragment.js';

const lines = (...all) => `${all.join('\r\n')}\r\n`;
const offer = lines(
  'v=0', 'a=group:BUNDLE 0 1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=mid:0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=mid:1',
);
const head = ['a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901'];

test('credentials', () => {
  assert.deepEqual(credentials(offer), { ufrag: 'abcd', pwd: '0123456789012345678901' });
  assert.deepEqual(credentials('a=ice-ufrag:x\n'), { ufrag: 'x', pwd: '' });
});

test('candidates stand in their sections', () => {
  const candidates = [
    { candidate: 'candidate:1 1 udp 1 192.0.2.1 1 typ host', sdpMid: '0' },
    { candidate: 'candidate:2 1 udp 1 192.0.2.1 2 typ host', sdpMid: '0' },
  ];
  const section = ['m=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', ...candidates.map(({ candidate }) => `a=${candidate}`)];
  assert.equal(makeFragment(offer, candidates), lines(...head, ...section));
  assert.equal(makeFragment(offer, candidates, { ended: true }), lines(...head, ...section, 'a=end-of-candidates'));
  const other = [{ candidate: 'candidate:3', sdpMid: '1' }];
  assert.equal(makeFragment(offer, other), lines(...head, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:1', 'a=candidate:3'));
});

test('a fragment without candidates names the first section', () => {
  assert.equal(makeFragment(offer, []), lines(...head, 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0'));
  assert.match(makeFragment(offer, [], { ended: true }), /a=mid:0\r\na=end-of-candidates\r\n$/);
});

test('an answer takes the credentials and candidates of a restart', () => {
  const answer = lines(
    'v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ice-ufrag:old1', 'a=ice-pwd:oldoldoldoldoldoldoldold', 'a=candidate:1 old', 'a=end-of-candidates',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:old1', 'a=ice-pwd:oldoldoldoldoldoldoldold',
  );
  const fragment = lines('a=ice-ufrag:new1', 'a=ice-pwd:newnewnewnewnewnewnewnew', 'm=video 9 x 0', 'a=mid:0', 'a=candidate:2 new', 'a=end-of-candidates');
  assert.equal(restarted(answer, fragment), lines(
    'v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ice-ufrag:new1', 'a=ice-pwd:newnewnewnewnewnewnewnew', 'a=candidate:2 new', 'a=end-of-candidates',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=ice-ufrag:new1', 'a=ice-pwd:newnewnewnewnewnewnewnew',
  ));
  assert.throws(() => restarted(answer, ''), /no credentials/);
});

test('an answer of one section has its candidates at the end', () => {
  const answer = lines('v=0', 'm=video 9 x 96', 'a=ice-ufrag:o', 'a=ice-pwd:o', 'a=mid:0');
  assert.match(restarted(answer, lines('a=ice-ufrag:n', 'a=ice-pwd:n', 'a=candidate:2')), /a=mid:0\r\na=candidate:2\r\n$/);
});
