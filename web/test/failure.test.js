import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, Failure, httpFailure } from '../assets/failure.js';

const problem = 'application/problem+json';
const refusal = (status, detail) => httpFailure(status, problem, JSON.stringify({ status, detail }));

test('a refusal is told in the words of the server', () => {
  const failure = refusal(422, 'the camera sends H.265, this browser offers VP8');
  assert.deepEqual(describe(failure), {
    title: 'This browser cannot play what the source sends',
    text: 'The camera sends H.265, this browser offers VP8.',
  });
});

test('each status has a title of its own, and a sentence when the server says nothing', () => {
  const titles = new Set();
  for (const status of [400, 401, 403, 404, 409, 422, 429, 503]) {
    const { title, text } = describe(httpFailure(status, '', ''));
    titles.add(title);
    assert.match(text, /\.$/, `status ${status}`);
  }
  assert.equal(titles.size, 8);
});

test('an unknown status is told by its number', () => {
  assert.equal(describe(httpFailure(418, '', '')).title, 'The gateway refused');
  assert.equal(describe(httpFailure(500, '', '')).title, 'The gateway has a problem');
  assert.match(describe(httpFailure(502, 'text/html', '<h1>Bad gateway</h1>')).text, /status 502/);
});

test('what the browser says of a failed negotiation is told too', () => {
  assert.match(describe(new Failure('negotiation', { detail: 'no ice-ufrag' })).text, /understands\. No ice-ufrag\.$/);
});

test('only problem details are quoted', () => {
  const cases = {
    'problem details': [problem, '{"detail":"No such stream."}', 'No such stream.'],
    'with a charset': [`${problem}; charset=utf-8`, '{"detail":"No such stream."}', 'No such stream.'],
    'title only': [problem, '{"title":"Not Found"}', 'Not Found'],
    'html of a proxy': ['text/html', '<p>oops</p>', ''],
    'broken json': [problem, '{"detail":', ''],
    'detail of another type': [problem, '{"detail":{"a":1}}', ''],
    'no object': [problem, 'null', ''],
    'no type': [null, '{"detail":"x"}', ''],
  };
  for (const [name, [type, body, want]] of Object.entries(cases)) {
    assert.equal(httpFailure(404, type, body).detail, want, name);
  }
});

test('a camera that is away is waited for, and nothing else is', () => {
  assert.equal(refusal(409, '').waiting, true);
  assert.equal(new Failure('stalled').waiting, true);
  assert.equal(new Failure('nopicture').waiting, true);
  assert.equal(new Failure('network').waiting, false);
  assert.equal(refusal(404, '').waiting, false);
});

test('what a repetition cannot mend is repeated slowly', () => {
  const patient = [400, 401, 403, 404, 422, 429].map((status) => refusal(status, '').patient);
  const quick = [408, 409, 500, 503].map((status) => refusal(status, '').patient);
  assert.ok(patient.every(Boolean));
  assert.ok(!quick.some(Boolean));
  assert.equal(new Failure('ice').patient, false);
});

test('every kind of failure has words', () => {
  const kinds = ['unsupported', 'offline', 'network', 'timeout', 'negotiation', 'ice', 'lost', 'stalled', 'nopicture', 'undecodable'];
  for (const kind of kinds) {
    const { title, text } = describe(new Failure(kind));
    assert.notEqual(title, 'Something went wrong', kind);
    assert.ok(text.length > 10, kind);
  }
});

test('the words name where the picture comes from, and the cause that the gateway knows', () => {
  const stalled = new Failure('stalled');
  const silent = new Failure('nopicture');
  const screen = { noun: 'screen', error: 'no X server has the display ":0": start it', fault: '', making: false };
  const hung = { noun: 'camera', error: '', fault: 'gateway-gst gave no output for 8s and was killed', making: true };
  const cases = [
    [stalled, {}, 'The source is offline – waiting for it', 'The picture comes back by itself.'],
    [stalled, { noun: 'pipeline' }, 'The pipeline is offline – waiting for it', 'The picture comes back by itself.'],
    [stalled, screen, 'The screen is offline – waiting for it', 'No X server has the display ":0": start it. The picture comes back by itself.'],
    [silent, screen, 'The screen is offline – waiting for it', 'No X server has the display ":0": start it. The picture comes back by itself.'],
    [silent, { noun: 'publisher' }, 'Waiting for a picture', 'The connection stands, but the publisher has sent no picture yet.'],
    [silent, hung, 'The gateway cannot make the picture', 'Gateway-gst gave no output for 8s and was killed. It tries again.'],
    [silent, { ...hung, fault: '' }, 'Waiting for a picture', 'The gateway is about to make one for this browser.'],
    [refusal(422, 'the process fails'), hung, 'The gateway cannot make the picture', 'The process fails.'],
    [refusal(422, 'it sends H.265'), { noun: 'pipeline' }, 'This browser cannot play what the pipeline sends', 'It sends H.265.'],
    [refusal(409, 'stream "desk" is offline: no X server'), screen, 'The screen is offline – waiting for it', 'Stream "desk" is offline: no X server.'],
    [new Failure('ice'), hung, 'No way for the picture', describe(new Failure('ice')).text],
  ];
  for (const [failure, cause, title, text] of cases) {
    assert.deepEqual(describe(failure, cause), { title, text });
  }
});
