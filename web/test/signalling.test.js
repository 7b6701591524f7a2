import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { postJSON, Signalling } from '../assets/signalling.js';

const { fetch: native } = globalThis;
afterEach(() => { globalThis.fetch = native; });

// serve answers each request with the next of these; requests are kept as [url, options].
function serve(...answers) {
  const requests = [];
  globalThis.fetch = async (url, options) => {
    requests.push([url, options]);
    const { status = 200, headers = {}, body = null } = answers.shift();
    const response = new Response(body, { status, headers });
    Object.defineProperty(response, 'url', { value: url });
    return response;
  };
  return requests;
}

const created = {
  status: 201, body: 'v=0', headers: { Location: '/cam/whip/1', ETag: '"g1"', Link: '<stun:s>; rel="ice-server"' },
};

test('an offer becomes a session', async () => {
  const requests = serve(created);
  const signalling = new Signalling('https://host/cam/whip');
  assert.equal(await signalling.post('offer', { Prefer: 'wait=4' }), 'v=0');
  assert.equal(signalling.resource, 'https://host/cam/whip/1');
  assert.equal(signalling.etag, '"g1"');
  assert.deepEqual(signalling.links, [{ target: 'stun:s', rel: 'ice-server' }]);
  const [[, { method, headers, body }]] = requests;
  assert.deepEqual([method, body, headers['Content-Type'], headers.Prefer], ['POST', 'offer', 'application/sdp', 'wait=4']);
});

test('a patch names the generation that it is for', async () => {
  const requests = serve(created, { status: 204 }, { body: 'fragment', headers: { ETag: '"g2"' } }, { status: 204 });
  const signalling = new Signalling('https://host/cam/whip');
  await signalling.post('offer');
  assert.equal(await signalling.patch('text/x', 'a', signalling.etag), '');
  assert.equal(signalling.etag, '"g1"', 'trickling brings no other ETag');
  assert.equal(await signalling.patch('text/x', 'b', '*'), 'fragment');
  await signalling.patch('text/x', 'c', signalling.etag);
  const sent = requests.slice(1).map(([url, { method, headers }]) => [url, method, headers['Content-Type'], headers['If-Match']]);
  assert.deepEqual(sent, ['"g1"', '*', '"g2"'].map((etag) => ['https://host/cam/whip/1', 'PATCH', 'text/x', etag]));
});

test('without an ETag there is no If-Match', async () => {
  const requests = serve({ ...created, headers: { Location: '/1' } }, { status: 204 });
  const signalling = new Signalling('https://host/cam/whip');
  await signalling.post('offer');
  await signalling.patch('text/x', 'a', signalling.etag);
  assert.ok(!('If-Match' in requests[1][1].headers));
});

test('a session is left once', async () => {
  const requests = serve(created, {}, {});
  const signalling = new Signalling('https://host/cam/whip');
  signalling.leave();
  await signalling.post('offer');
  signalling.leave();
  signalling.leave();
  assert.deepEqual(requests.map(([, { method }]) => method), ['POST', 'DELETE']);
  assert.equal(requests[1][1].keepalive, true);
});

test('a refusal is a Failure', async () => {
  const headers = { 'Content-Type': 'application/problem+json', 'Retry-After': '3' };
  serve({ status: 503, headers, body: '{"detail":"full"}' }, { status: 400 });
  const refused = await new Signalling('https://host/cam/whip').post('offer').catch((err) => err);
  assert.deepEqual([refused.kind, refused.status, refused.detail, refused.retryAfter], ['http', 503, 'full', 3000]);
  await assert.rejects(postJSON('https://host/layer', {}), { kind: 'http', status: 400 });
});

test('a gateway that is away is a Failure', async () => {
  globalThis.fetch = () => Promise.reject(new TypeError('refused'));
  for (const [onLine, kind] of [[true, 'network'], [false, 'offline']]) {
    Object.defineProperty(globalThis, 'navigator', { value: { onLine }, configurable: true });
    await assert.rejects(new Signalling('https://host/cam/whip').post('offer'), { kind });
  }
});
