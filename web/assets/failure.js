// What can go wrong between this page and the picture, and the words for it.

const sayings = {
  unsupported: ['This browser cannot play WebRTC', 'Open the page in a current Chromium, Firefox or Safari.'],
  offline: ['You are offline', 'The stream goes on as soon as this device has a network again.'],
  network: ['The gateway cannot be reached', 'It may be restarting, or the network between is down.'],
  timeout: ['The gateway does not answer', 'It took the request and then said nothing.'],
  negotiation: ['The gateway and this browser could not agree', 'What the gateway answered is not what this browser understands.'],
  ice: [
    'No way for the picture',
    'The gateway answers over HTTP, but no UDP packets come through. A firewall may block its media port, or it does not announce an address that this device can reach.',
  ],
  norelay: ['There is no relay', 'The page was asked to go through a relay only, and the gateway names no TURN server.'],
  lost: ['The connection was lost', 'Connecting again.'],
  stalled: ['The {source} is offline – waiting for it', 'The picture comes back by itself.'],
  nopicture: ['Waiting for a picture', 'The connection stands, but the {source} has sent no picture yet.'],
  undecodable: [
    'The picture cannot be decoded',
    'Data arrive, but this browser makes no picture of them. The {source} may use settings that this browser lacks.',
  ],
};

// What the gateway has seen of a connection that failed, in words for whoever watches or publishes: what is wrong, and
// one thing to try. The keys are the reasons of a verdict, some with their detail.
const closed = 'Try another network, such as mobile data. If that does not help either, tell whoever runs the gateway that its media port cannot be reached.';
const inspected = 'Switch off a VPN, a proxy or a security program that looks into connections, or try another network.';
const reasons = {
  nothing_announced: 'The gateway does not know an address of its own to be reached at. Tell whoever runs it: its log says what to change.',
  loopback_only: 'The gateway is set up for its own machine alone. Open this page there, or ask whoever runs it to open it to the network.',
  'nothing_arrived loopback': 'The gateway took this device for its own machine, and nothing of the connection for pictures and sound has come. If you are elsewhere, tell whoever runs the gateway: its log says what to change.',
  nothing_arrived: `This page comes through, but nothing of the connection for pictures and sound does: a firewall stops it. ${closed}`,
  no_candidates_usable: `This page comes through, but nothing of the connection for pictures and sound does: a firewall stops it. ${closed}`,
  relay_unreachable: `The relay that this device goes through cannot reach the gateway. ${closed}`,
  arrived_not_answered: `What this device sends arrives, but the answers do not come back: a firewall stops them. ${inspected}`,
  wrong_credentials: 'The gateway got packets that belong to another attempt. Reload the page.',
  dtls_failed: `The encryption of the connection could not be agreed on. ${inspected}`,
  'dtls_failed profile': 'This browser and the gateway have no encryption in common. Update the browser.',
  'dtls_failed timeout': `Small packets come through and larger ones are lost, so that the connection never begins. ${inspected}`,
  'dtls_failed no_hello': `A way to the gateway was found, and then nothing more came through: something on the way lets only the first packets pass. ${inspected}`,
  'connected_no_media no_keyframe': 'The {source} sends, but has not begun a picture yet. Wait some seconds; if none comes, whoever runs it must set a shorter keyframe interval.',
  'connected_no_media unheard': `The gateway sends the picture, and it is lost on the way: larger packets do not come through. ${inspected}`,
};

const statusTitles = {
  400: 'The gateway did not understand the request',
  401: 'Sign in to watch this stream',
  403: 'You may not watch this stream',
  404: 'Stream not found',
  409: sayings.stalled[0],
  422: 'This browser cannot play what the {source} sends',
  429: 'Too many requests',
  503: 'The gateway is full',
};

const statusTexts = {
  400: 'Reload the page; it may be from another release.',
  401: 'The gateway wants to know who you are.',
  403: 'The gateway does not let you watch it.',
  404: 'There is no stream of this name. Check the address.',
  409: sayings.stalled[1],
  422: 'The {source} and this browser have no codec in common.',
  429: 'The gateway asks for a pause.',
  503: 'It cannot take another viewer now.',
};

// Refusals that the last word of the problem's type tells apart better than the status does.
const slugTitles = { not_local: 'Only the gateway’s own machine may' };

// Failure says why there is no picture. Its kind is one of the keys of sayings, or "http" with the status, the last
// word of the problem's type (slug), and the milliseconds that the server asks to wait (retryAfter). Its detail is
// what the server, or the browser, says of it, its verdict what the gateway has seen of the connection (see askVerdict).
export class Failure extends Error {
  constructor(kind, { status = 0, slug = '', detail = '', retryAfter = 0, verdict, cause } = {}) {
    super(detail || kind, { cause });
    this.name = 'Failure';
    this.kind = kind;
    this.status = status;
    this.slug = slug;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.verdict = verdict;
  }

  // waiting tells that nothing is wrong between page and gateway: only the picture is missing.
  get waiting() {
    return this.kind === 'stalled' || this.kind === 'nopicture' || this.status === 409;
  }

  // patient tells that the same request is not likely to fare better soon.
  get patient() {
    return this.kind === 'unsupported' || (this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 409);
  }
}

// describe gives the words for a failure: a title, and a sentence that is the server's own where it sent one. cause is
// what is known of the stream (see causeOf), if anything.
export function describe(failure, cause = {}) {
  const { title, text } = caused(failure, cause) ?? plain(failure);
  const named = (words) => words.replace('{source}', cause.noun || 'source');
  return { title: named(title), text: named(text) };
}

// caused gives the words where the cause says more than the failure; undefined where it does not.
function caused(failure, { error, fault, making }) {
  const silent = failure.kind === 'stalled' || failure.kind === 'nopicture';
  if (error) {
    return silent ? { title: sayings.stalled[0], text: `${sentence(error)} ${sayings.stalled[1]}` } : undefined;
  }
  if (fault && (silent || failure.status === 422)) {
    return { title: 'The gateway cannot make the picture', text: silent ? `${sentence(fault)} It tries again.` : sentence(failure.detail) || sentence(fault) };
  }
  if (making && silent) {
    return { title: sayings.nopicture[0], text: 'The gateway is about to make one for this browser.' };
  }
  return undefined;
}

function plain(failure) {
  if (failure.kind !== 'http') {
    const [title, plainly] = sayings[failure.kind] ?? ['Something went wrong', failure.message];
    const text = verdictText(failure.verdict) ?? plainly;
    return { title, text: [text, sentence(failure.detail)].filter(Boolean).join(' ') };
  }
  const fallback = failure.status >= 500 ? 'The gateway has a problem' : 'The gateway refused';
  return {
    title: slugTitles[failure.slug] ?? statusTitles[failure.status] ?? fallback,
    text: sentence(failure.detail) || statusTexts[failure.status] || `It answered with status ${failure.status}.`,
  };
}

// verdictText gives the words for what the gateway has seen; undefined where that says no more than the failure itself.
export function verdictText({ reason = '', detail = '' } = {}) {
  return reasons[`${reason} ${detail}`] ?? reasons[reason];
}

// httpFailure makes a Failure of a refused request from its status, content type and body. Only problem
// details (RFC 9457) are quoted: another body may come from a proxy and mean nothing to the viewer.
export function httpFailure(status, contentType, body, retryAfter = 0) {
  return new Failure('http', { status, retryAfter, ...problemOf(contentType, body) });
}

function problemOf(contentType, body) {
  if (!/^application\/(problem\+)?json\b/i.test(contentType ?? '')) {
    return {};
  }
  try {
    const { type, detail, title } = JSON.parse(body);
    return {
      slug: /^urn:sluice:problem:(\w+)$/.exec(type)?.[1] ?? '',
      detail: [detail, title].find((text) => typeof text === 'string' && text !== '') ?? '',
    };
  } catch {
    return {};
  }
}

function sentence(text) {
  const trimmed = text.trim().slice(0, 600);
  if (trimmed === '') {
    return '';
  }
  const started = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(started) ? started : `${started}.`;
}
