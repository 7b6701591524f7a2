import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Delivery } from '../assets/delivery.js';

const { fetch } = globalThis;
afterEach(() => { globalThis.fetch = fetch; });

const section = (codec) => ({ mid: '0', codec, action: 'transcode', transcoded: true, reason: 'The camera sends H.265.' });

// serve answers requests by their path, and keeps the paths.
function serve(bodies) {
  const asked = [];
  globalThis.fetch = async (path) => {
    asked.push(path);
    return bodies[path] ? Response.json(bodies[path]) : new Response('', { status: 404 });
  };
  return asked;
}

test('a session is asked for once, and again when it is time', async () => {
  const asked = serve({ '/api/v1/sessions/a': { delivery: [section('h264'), section('')] } });
  const delivery = new Delivery();
  await delivery.keep('', 0, 0);
  await delivery.keep('http://host/door/whep/a', Infinity, 1000);
  assert.deepEqual(delivery.sections, [section('h264')]);
  await delivery.keep('http://host/door/whep/a', Infinity, 90_000);
  await delivery.keep('http://host/door/whep/a', 5000, 5999);
  assert.equal(asked.length, 1);
  await delivery.keep('http://host/door/whep/a', 5000, 6000);
  assert.equal(asked.length, 2);
});

test('another session begins with nothing, and what is not told is not shown', async () => {
  serve({ '/api/v1/sessions/a': { delivery: [section('h264')] }, '/api/v1/sessions/b': {} });
  const delivery = new Delivery();
  await delivery.keep('http://host/door/whep/a', Infinity, 0);
  const answer = delivery.keep('http://host/door/whep/c', Infinity, 1);
  assert.deepEqual(delivery.sections, []);
  await answer;
  await delivery.keep('http://host/door/whep/b', Infinity, 2);
  globalThis.fetch = async () => { throw new TypeError('offline'); };
  await delivery.keep('http://host/door/whep/d', Infinity, 3);
  assert.deepEqual(delivery.sections, []);
});

test('an answer about the session before is not taken', async () => {
  serve({ '/api/v1/sessions/a': { delivery: [section('h264')] } });
  const delivery = new Delivery();
  const late = delivery.keep('http://host/door/whep/a', Infinity, 0);
  await delivery.keep('', Infinity, 1);
  await late;
  assert.deepEqual(delivery.sections, []);
});
