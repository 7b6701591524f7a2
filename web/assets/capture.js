// Cameras, microphones and screens: what there is, and how a browser is asked for it.

import { Failure } from './failure.js';
import { captureFailure, insecureFailure } from './trouble.js';

// none and screenSound stand among the microphones for no sound and for that of what is shared.
export const none = 'none';
export const screenSound = 'screen';

// constraintsOf says what to ask the browser for: a display, and a camera or microphone. choice is {source:
// "camera", "screen" or "microphone"; camera, microphone: a device ID, '' for any, or none; height in pixels}.
export function constraintsOf({ source, camera, microphone, height }) {
  const size = { width: { ideal: Math.round((height * 16) / 9) }, height: { ideal: height }, frameRate: { ideal: 30 } };
  const ownSound = microphone !== none && microphone !== screenSound;
  const sound = ownSound || source === 'microphone' ? device(ownSound ? microphone : '') : false;
  if (source === 'screen') {
    return {
      display: { video: { height: { max: height }, frameRate: { max: 30 } }, audio: microphone === screenSound },
      user: sound && { audio: sound },
    };
  }
  const video = source === 'camera' && { ...size, ...device(camera) };
  return { display: false, user: { video, audio: sound } };
}

function device(id) {
  return id ? { deviceId: { exact: id } } : {};
}

// capture asks the browser for the choice and resolves to a MediaStream. It rejects with a Failure. A display
// is given only in answer to a gesture of the user.
export async function capture(choice) {
  const failure = obstacle();
  if (failure) {
    throw failure;
  }
  const { display, user } = constraintsOf(choice);
  const got = [];
  try {
    if (display) {
      got.push(await navigator.mediaDevices.getDisplayMedia(display));
    }
    if (user) {
      got.push(await navigator.mediaDevices.getUserMedia(user));
    }
  } catch (err) {
    got.forEach(release);
    throw captureFailure(err, got.length > 0 ? 'microphone' : choice.source);
  }
  return new MediaStream(got.flatMap((stream) => stream.getTracks()));
}

// obstacle gives the Failure that keeps this page from any device, if there is one.
export function obstacle() {
  if (!isSecureContext) {
    return insecureFailure(location);
  }
  return navigator.mediaDevices && typeof RTCPeerConnection !== 'undefined' ? undefined : new Failure('unsupported');
}

// release lets go of the devices of a stream.
export function release(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

// allowed resolves to true where the browser would give this kind of device without asking.
export async function allowed(name) {
  try {
    return (await navigator.permissions.query({ name })).state === 'granted';
  } catch {
    return false;
  }
}

// deviceChoices turns what enumerateDevices gave into pairs of ID and label for a list to choose from. Until
// the page has access browsers name no device, and may tell of one without an ID.
export function deviceChoices(devices, kind) {
  const word = kind === 'videoinput' ? 'Camera' : 'Microphone';
  const those = devices.filter((each) => each.kind === kind && each.deviceId !== 'default' && each.deviceId !== 'communications');
  const named = those.filter(({ deviceId }) => deviceId !== '');
  if (those.length === 0) {
    return [];
  }
  return [['', `Any ${word.toLowerCase()}`], ...named.map(({ deviceId, label }, at) => [deviceId, label || `${word} ${at + 1}`])];
}
