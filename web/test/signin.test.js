import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, httpFailure } from '../assets/failure.js';
import { hideToken, nextOf, showSignIn, signInOffer, tokenOf } from '../assets/signin.js';

const location = { pathname: '/front door/', search: '?x=1&y=2' };
const href = '/login?next=%2Ffront%20door%2F%3Fx%3D1%26y%3D2';
const refusal = (status, slug) => httpFailure(status, 'application/problem+json', JSON.stringify({ type: `urn:sluice:problem:${slug}`, detail: 'x' }));

test('who is refused may sign in where that helps', () => {
  const cases = {
    'no account': [refusal(401, 'credentials'), { words: 'Sign in', href }],
    'another account': [refusal(403, 'forbidden'), { words: 'Sign in as somebody else', href }],
    'only the machine itself': [refusal(403, 'not_local'), undefined],
    'no account may': [refusal(403, 'not_publishable'), undefined],
    'something else': [refusal(404, 'stream'), undefined],
    'no answer': [new Failure('network'), undefined],
    'no failure': [undefined, undefined],
  };
  for (const [name, [failure, want]] of Object.entries(cases)) {
    assert.deepEqual(signInOffer(failure, location), want, name);
  }
});

test('a link makes the offer, or hides', () => {
  const link = { hidden: true, setAttribute(name, value) { this[name] = value; } };
  showSignIn(link, { words: 'Sign in', href: '/login?next=%2F' });
  assert.deepEqual([link.hidden, link.textContent, link.href], [false, 'Sign in', '/login?next=%2F']);
  showSignIn(link, undefined);
  assert.equal(link.hidden, true);
});

test('the login leads to nothing but this origin', () => {
  const origin = 'https://gateway.example';
  const next = (path) => nextOf(`?next=${encodeURIComponent(path)}`, origin);
  for (const path of ['/', '/cam/', '/cam/?relay=1', '/cam/publish#x', '/a%20b/']) {
    assert.equal(next(path), path);
  }
  const others = [
    '', 'cam/', 'https://evil.example/', 'javascript:alert(1)', '//evil.example/', '///evil.example', '/\\evil.example', '\\\\evil.example',
    '/\t/evil.example', '/\n/evil.example', '\t//evil.example', '/cam\\..\\', '/login', '/login?next=/', '/x/../login', ' /cam/',
    '/..//evil.example/', '/.//evil.example', '/x/%2e%2e//evil.example',
  ];
  for (const path of others) {
    assert.equal(next(path), '/', JSON.stringify(path));
  }
  assert.equal(nextOf('', origin), '/');
  assert.equal(nextOf('?next=/a/&next=//evil.example', origin), '/a/', 'the first counts');
});

test('a token comes in the fragment', () => {
  const cases = {
    '#token=abc': 'abc', '#token=a%2Bb%3D': 'a+b=', '#token=a+b/c==': 'a+b/c==', '#x=1&token=abc': 'abc', '#token=': '', '#abc': '', '': '',
  };
  for (const [hash, want] of Object.entries(cases)) {
    assert.equal(tokenOf(hash), want, hash);
  }
});

test('a token leaves the address bar, and nothing else does', () => {
  const cases = {
    '/cam/?token=x': '/cam/', '/cam/?a=b&Token=x&c=d&token=y#z': '/cam/?a=b&c=d#z', '/?token': '/',
    '/cam/': undefined, '/cam/?tokens=x#token=y': undefined,
  };
  for (const [path, want] of Object.entries(cases)) {
    const history = { state: { kept: true }, replaceState(...entry) { this.entry = entry; } };
    hideToken({ href: `https://gateway.example${path}` }, history);
    assert.deepEqual(history.entry, want && [{ kept: true }, '', want], path);
  }
});
