import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, httpFailure } from '../assets/failure.js';
import { captureFailure, describeTrouble, hopeless, insecureFailure } from '../assets/trouble.js';

test('what the browser throws', () => {
  const cases = [
    ['NotAllowedError', 'camera', 'refused'], ['NotAllowedError', 'screen', 'cancelled'], ['NotFoundError', 'camera', 'nodevice'],
    ['NotReadableError', 'camera', 'busydevice'], ['AbortError', 'microphone', 'busydevice'], ['OverconstrainedError', 'camera', 'unfit'],
    ['TypeError', 'screen', 'unsupported'], ['SomethingNew', 'camera', 'busydevice'],
  ];
  for (const [name, source, want] of cases) {
    assert.equal(captureFailure(Object.assign(new Error('x'), { name }), source).kind, want, name);
  }
  const own = new Failure('insecure');
  assert.equal(captureFailure(own, 'camera'), own);
});

test('each trouble has words of its own', () => {
  const kinds = ['unsupported', 'refused', 'cancelled', 'nodevice', 'busydevice', 'unfit', 'ended', 'replaced', 'lost', 'offline', 'ice', 'network', 'timeout', 'negotiation'];
  const said = kinds.map((kind) => describeTrouble(new Failure(kind)));
  assert.equal(new Set(said.map(({ title }) => title)).size, kinds.length);
  assert.ok(said.every(({ title, text }) => title !== 'Something went wrong' && text.endsWith('.')));
});

test('an insecure page says where to go', () => {
  const failure = insecureFailure({ host: 'gw.lan:8080', port: '8080', pathname: '/cam/publish' });
  const { title, text } = describeTrouble(failure);
  assert.equal(title, 'This page is not secure');
  assert.match(text, /only to pages on HTTPS or on localhost\. Open https:\/\/gw\.lan:8080\/cam\/publish .* http:\/\/localhost:8080\/cam\/publish/);
  assert.match(insecureFailure({ host: 'gw', port: '', pathname: '/c/publish' }).detail, / http:\/\/localhost\/c\/publish /);
});

test('a refusal is told in the words of the gateway', () => {
  const problem = (status, detail) => httpFailure(status, 'application/problem+json', JSON.stringify({ detail }));
  assert.deepEqual(describeTrouble(problem(403, 'the stream "door" has a source of its own')), {
    title: 'This stream cannot be published from here', text: 'The stream "door" has a source of its own.',
  });
  for (const status of [401, 403, 404, 409, 422, 503, 500, 418]) {
    assert.match(describeTrouble(httpFailure(status, '', '')).text, /\.$/, `status ${status}`);
  }
  assert.equal(describeTrouble(httpFailure(409, '', '')).title, 'Somebody else is publishing');
  const forbidden = JSON.stringify({ type: 'urn:sluice:problem:forbidden', detail: '"ann" has no right' });
  assert.equal(describeTrouble(httpFailure(403, 'application/problem+json', forbidden)).title, 'You may not publish this stream');
});

test('what another attempt cannot mend', () => {
  const refusal = (status) => httpFailure(status, '', '');
  assert.deepEqual([401, 403, 404, 409, 422].filter((status) => !hopeless(refusal(status))), []);
  assert.deepEqual([408, 429, 500, 503].filter((status) => hopeless(refusal(status))), []);
  assert.deepEqual(['lost', 'network', 'offline', 'timeout', 'ice'].filter((kind) => hopeless(new Failure(kind))), []);
  assert.ok(hopeless(new Failure('replaced')) && hopeless(new Failure('negotiation')));
});
