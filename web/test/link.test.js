import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceServers, linkTo, parseLinks } from '../assets/link.js';

test('Link fields', () => {
  const cases = {
    one: ['<a>; rel="x"', [{ target: 'a', rel: 'x' }]],
    'two in one field': ['<a>; rel=x, <b>; rel=y', [{ target: 'a', rel: 'x' }, { target: 'b', rel: 'y' }]],
    'commas and semicolons within': ['<a,b;c>; rel="x, y; z"; events="p,q"', [{ target: 'a,b;c', rel: 'x, y; z', events: 'p,q' }]],
    'equals signs of base64': ['<a>; credential="ab=="', [{ target: 'a', credential: 'ab==' }]],
    'quoted characters': ['<a>; rel="x\\"y\\\\"', [{ target: 'a', rel: 'x"y\\' }]],
    'names in capitals': ['<a> ; REL = x', [{ target: 'a', rel: 'x' }]],
    'the first of two counts': ['<a>; rel=x; rel=y', [{ target: 'a', rel: 'x' }]],
    'no target': ['rel=x, <b>', [{ target: 'b' }]],
    'never closed': ['<a; rel=x', []],
    empty: ['', []],
    absent: [null, []],
  };
  for (const [name, [header, want]] of Object.entries(cases)) {
    assert.deepEqual(parseLinks(header), want, name);
  }
});

test('a target is resolved against the session', () => {
  const links = parseLinks('</cam/whep/1/sse>; rel="urn:x:sse", <http://[>; rel=broken');
  assert.equal(linkTo(links, 'urn:x:sse', 'https://host/cam/whep/1'), 'https://host/cam/whep/1/sse');
  assert.equal(linkTo(links, 'broken', 'https://host/'), undefined);
  assert.equal(linkTo(links, 'absent', 'https://host/'), undefined);
});

test('ICE servers', () => {
  const links = parseLinks([
    '<stun:stun.example.net>; rel="ice-server"',
    '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="u"; credential="s3=="; credential-type="password"',
    '<https://example.net>; rel="ice-server"', '<stun:other>; rel="x"',
  ].join(', '));
  assert.deepEqual(iceServers(links), [
    { urls: 'stun:stun.example.net' },
    { urls: 'turn:turn.example.net?transport=udp', username: 'u', credential: 's3==' },
  ]);
});
