import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constraintsOf, deviceChoices, none, screenSound } from '../assets/capture.js';
import { loudness } from '../assets/level.js';

const choice = (change) => ({ source: 'camera', camera: '', microphone: '', height: 720, ...change });

test('what the browser is asked for', () => {
  const exact = (id) => ({ deviceId: { exact: id } });
  const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  const display = (audio) => ({ video: { height: { max: 720 }, frameRate: { max: 30 } }, audio });
  const cases = {
    'any camera and microphone': [{}, { display: false, user: { video: size, audio: {} } }],
    'chosen ones': [{ camera: 'c', microphone: 'm' }, { display: false, user: { video: { ...size, ...exact('c') }, audio: exact('m') } }],
    'no sound': [{ microphone: none }, { display: false, user: { video: size, audio: false } }],
    'microphone only': [{ source: 'microphone', microphone: 'm' }, { display: false, user: { video: false, audio: exact('m') } }],
    'microphone only, while none was chosen': [{ source: 'microphone', microphone: none }, { display: false, user: { video: false, audio: {} } }],
    'screen with its sound': [{ source: 'screen', microphone: screenSound }, { display: display(true), user: false }],
    'screen and microphone': [{ source: 'screen', microphone: 'm' }, { display: display(false), user: { audio: exact('m') } }],
    'silent screen': [{ source: 'screen', microphone: none }, { display: display(false), user: false }],
  };
  for (const [name, [change, want]] of Object.entries(cases)) {
    assert.deepEqual(constraintsOf(choice(change)), want, name);
  }
});

test('devices to choose from', () => {
  const device = (kind, deviceId, label = '') => ({ kind, deviceId, label });
  const devices = [
    device('audioinput', 'default', 'Default'), device('audioinput', 'a', 'Headset'), device('videoinput', 'v1'), device('videoinput', 'v2', 'Webcam'),
  ];
  assert.deepEqual(deviceChoices(devices, 'videoinput'), [['', 'Any camera'], ['v1', 'Camera 1'], ['v2', 'Webcam']]);
  assert.deepEqual(deviceChoices(devices, 'audioinput'), [['', 'Any microphone'], ['a', 'Headset']]);
  assert.deepEqual(deviceChoices([device('videoinput', '')], 'videoinput'), [['', 'Any camera']]);
  assert.deepEqual(deviceChoices([], 'audioinput'), []);
});

test('loudness', () => {
  const sine = (peak) => Array.from({ length: 480 }, (_, at) => peak * Math.sin((at * Math.PI) / 24));
  assert.equal(loudness(sine(0)), 0);
  assert.equal(loudness(sine(0.0005)), 0);
  assert.ok(Math.abs(loudness(sine(1)) - 1) < 0.01);
  assert.ok(Math.abs(loudness(sine(0.0316)) - 0.5) < 0.01);
});
