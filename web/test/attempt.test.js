import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { attempt, credentialsOf, waitWords } from '../assets/attempt.js';

const { fetch: native } = globalThis;
afterEach(() => { globalThis.fetch = native; });

// answering has the gateway answer so, and keeps what it is asked.
function answering(status, { body = '', headers = {} } = {}) {
  const requests = [];
  globalThis.fetch = async (url, options) => {
    requests.push({ url, ...options });
    return new Response(status === 204 ? null : body, { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });
  };
  return requests;
}

test('credentials go as JSON, and not into the URL', async () => {
  const requests = answering(204);
  assert.deepEqual(await attempt({ token: 'abc' }), { ok: true, words: '', wait: 0 });
  const [{ url, method, headers, body }] = requests;
  assert.deepEqual([url, method, headers, body], ['/login', 'POST', { 'Content-Type': 'application/json' }, '{"token":"abc"}']);
});

test('a refusal is told in words', async () => {
  const detail = (words) => JSON.stringify({ detail: words });
  const cases = {
    'wrong token': [{ token: 'x' }, 401, {}, /does not know this token/],
    'wrong password': [{ user: 'a', password: 'x' }, 401, { body: detail('no') }, /^The name or the password is wrong\.$/],
    'told why': [{ token: 'x' }, 403, { body: detail('Only this machine may.') }, /^Only this machine may\.$/],
    'no authorisation': [{ token: 'x' }, 404, {}, /nothing to sign in to/],
    'no callback': [{ token: 'x' }, 503, { headers: { 'Retry-After': '5' } }, /Try again in a moment/],
    'a proxy': [{ token: 'x' }, 502, { body: '<h1>Bad gateway', headers: { 'Content-Type': 'text/html' } }, /status 502/],
  };
  for (const [name, [credentials, status, answer, want]] of Object.entries(cases)) {
    answering(status, answer);
    const { ok, words, wait } = await attempt(credentials);
    assert.deepEqual([ok, wait], [false, 0], name);
    assert.match(words, want, name);
  }
});

// I-4: who has failed too often waits, and is told how long.
test('too many attempts', async () => {
  answering(429, { headers: { 'Retry-After': '60' } });
  assert.deepEqual(await attempt({ token: 'x' }), { ok: false, words: 'Too many attempts. Try again in 60 seconds.', wait: 60_000 });
  assert.equal(waitWords(900), 'Too many attempts. Try again in 1 second.');
  assert.equal(waitWords(1_100), 'Too many attempts. Try again in 2 seconds.');
  assert.equal(waitWords(0), 'Too many attempts. Try again in a moment.');
});

test('a gateway that is away', async () => {
  globalThis.fetch = () => Promise.reject(new TypeError('refused'));
  assert.match((await attempt({ token: 'x' })).words, /cannot be reached/);
});

test('what the form holds', () => {
  const form = { named: false, token: ' abc\n', user: ' alice ', password: ' p ' };
  assert.deepEqual(credentialsOf(form), { token: 'abc' });
  assert.deepEqual(credentialsOf({ ...form, named: true }), { user: 'alice', password: ' p ' }, 'a password may begin with a space');
  assert.equal(credentialsOf({ ...form, token: '  ' }), undefined);
  assert.equal(credentialsOf({ ...form, named: true, password: '' }), undefined);
  assert.equal(credentialsOf({ ...form, named: true, user: ' ' }), undefined);
});
