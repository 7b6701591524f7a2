// What can keep somebody from publishing, and the words for it.

import { describe, Failure, verdictText } from './failure.js';

const sayings = {
  unsupported: ['This browser cannot publish', 'Open the page in a current Chromium, Firefox or Safari.'],
  refused: [
    'The browser gives no access',
    'You, or a setting of the browser or of the system, refused it. Allow this page the camera and the microphone, in the address bar or in the settings, and start again.',
  ],
  cancelled: ['Nothing was shared', 'The choice of what to share was cancelled, or the system forbids it. Start again to choose.'],
  nodevice: ['There is no such device', 'The browser finds no camera or microphone of that kind. Connect one, or choose another source.'],
  busydevice: ['The device is in use', 'Another program, or another tab, may hold it. Close that and start again.'],
  unfit: ['The device cannot do that', 'It has gone, or it knows none of the sizes asked for. Choose another one.'],
  ended: ['The source has ended', 'The device was taken away, or its use was stopped. Start again when it is back.'],
  replaced: ['Somebody else publishes here now', 'The gateway gave the stream to another publisher. Start again to take it back.'],
  lost: ['The connection was lost', 'Connecting again.'],
  offline: ['You are offline', 'Publishing goes on as soon as this device has a network again.'],
  ice: [
    'No way to the gateway',
    'It answers over HTTP, but no UDP packets come through. A firewall may block its media port, or it does not announce an address that this device can reach.',
  ],
};

const statusTitles = {
  401: 'Sign in to publish',
  403: 'This stream cannot be published from here',
  404: 'Stream not found',
  409: 'Somebody else is publishing',
  422: 'The gateway does not take what this browser sends',
};

const slugTitles = { forbidden: 'You may not publish this stream' };

const statusTexts = {
  401: 'The gateway wants to know who you are.',
  403: 'It has a source of its own, or you may not publish to it.',
  404: 'There is no stream of this name. Check the address.',
  409: 'One publisher at a time; try again when the other has stopped.',
  422: 'Choose another codec, or leave the choice to the browser.',
  503: 'It cannot take another publisher now.',
};

const errorKinds = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'nodevice',
  NotReadableError: 'busydevice',
  AbortError: 'busydevice',
  OverconstrainedError: 'unfit',
  InvalidStateError: 'refused',
  TypeError: 'unsupported',
};

// captureFailure makes a Failure of what getUserMedia or getDisplayMedia threw.
export function captureFailure(err, source) {
  if (err instanceof Failure) {
    return err;
  }
  const kind = errorKinds[err.name] ?? 'busydevice';
  return new Failure(kind === 'refused' && source === 'screen' ? 'cancelled' : kind, { cause: err });
}

// insecureFailure says why a page at this location gets no camera, and where it would.
export function insecureFailure({ host, port, pathname }) {
  const local = `http://localhost${port ? `:${port}` : ''}${pathname}`;
  return new Failure('insecure', {
    detail: `Open https://${host}${pathname} if the gateway has HTTPS, or ${local} on the machine where it runs.`,
  });
}

// hopeless tells that the same attempt will not fare better without somebody doing something.
export function hopeless({ kind, status }) {
  if (kind === 'http') {
    return status >= 400 && status < 500 && status !== 408 && status !== 429;
  }
  return !['network', 'offline', 'timeout', 'ice', 'lost'].includes(kind);
}

// describeTrouble gives the words for a failure: a title and a sentence, the server's own where it sent one.
export function describeTrouble(failure) {
  if (failure.kind === 'insecure') {
    return { title: 'This page is not secure', text: `Browsers give cameras only to pages on HTTPS or on localhost. ${failure.detail}` };
  }
  const said = describe(failure);
  const [title, text] = sayings[failure.kind] ?? [];
  if (failure.kind === 'http') {
    return {
      title: slugTitles[failure.slug] ?? statusTitles[failure.status] ?? said.title,
      text: failure.detail ? said.text : (statusTexts[failure.status] ?? said.text),
    };
  }
  return title ? { title, text: verdictText(failure.verdict) ?? text } : said;
}
