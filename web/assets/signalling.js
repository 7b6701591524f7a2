// The HTTP side of one WHIP or WHEP session (RFC 9725, draft-ietf-wish-whep): an offer posted, a resource
// patched and deleted.

import { retryAfter } from './backoff.js';
import { Failure, httpFailure } from './failure.js';
import { parseLinks } from './link.js';

const requestTimeout = 10_000;
const verdictTimeout = 2_000;
const sdpType = 'application/sdp';

// Signalling speaks for one session. Its requests reject with a Failure.
export class Signalling {
  // resource is the session's URL, '' until there is one and after leave().
  resource = '';
  // etag names the present ICE generation; '' if the server gave none.
  etag = '';
  // links are those of the answer to the offer (see parseLinks).
  links = [];

  #url;

  constructor(url) {
    this.#url = url;
  }

  // post sends the offer and resolves to the answer.
  async post(offer, headers = {}) {
    return this.#opened(await send(this.#url, { method: 'POST', headers: { 'Content-Type': sdpType, Accept: sdpType, ...headers }, body: offer }));
  }

  // adopt is post for an offer that is on its way: response is what fetch gave, abort what aborts it.
  async adopt(response, abort) {
    return this.#opened(await settle(response, abort));
  }

  // patch sends a body to the session, with an If-Match if ifMatch is not '', and resolves to the answer's body.
  async patch(type, body, ifMatch) {
    const headers = { 'Content-Type': type, ...(ifMatch && { 'If-Match': ifMatch }) };
    const response = await send(this.resource, { method: 'PATCH', headers, body });
    const answer = await bodyOf(response);
    this.#remember(response);
    return answer;
  }

  // leave deletes the session, even while the page goes away.
  leave() {
    if (this.resource) {
      fetch(this.resource, { method: 'DELETE', keepalive: true }).catch(() => {});
      this.resource = '';
    }
  }

  #opened(response) {
    const location = response.headers.get('Location');
    if (location) {
      this.resource = new URL(location, response.url).href;
    }
    this.#remember(response);
    this.links = parseLinks(response.headers.get('Link'));
    return bodyOf(response);
  }

  #remember(response) {
    this.etag = response.headers.get('ETag') ?? this.etag;
  }
}

// postJSON posts a value and resolves to the response; like those above it rejects with a Failure.
export async function postJSON(url, value) {
  const response = await send(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });
  await bodyOf(response);
  return response;
}

// askVerdict resolves to what the gateway has seen of the session at that URL: { reason, detail, … }, with an empty reason
// where nothing is wrong on its side. It resolves to undefined where the gateway can't be asked, or has no verdicts.
export async function askVerdict(resource) {
  if (!resource) {
    return undefined;
  }
  try {
    const response = await fetch(`${resource}/verdict`, { signal: AbortSignal.timeout(verdictTimeout) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined; // the page says less
  }
}

function send(url, options) {
  const abort = new AbortController();
  return settle(fetch(url, { ...options, signal: abort.signal }), abort);
}

// settle waits for the answer to a request, not longer than that may take.
async function settle(response, abort) {
  const timer = setTimeout(() => abort.abort(), requestTimeout);
  try {
    return await response;
  } catch (cause) {
    throw new Failure(failedRequest(abort.signal), { cause });
  } finally {
    clearTimeout(timer);
  }
}

async function bodyOf(response) {
  const body = await response.text();
  if (!response.ok) {
    const wait = retryAfter(response.headers.get('Retry-After'));
    throw httpFailure(response.status, response.headers.get('Content-Type'), body, wait);
  }
  return body;
}

function failedRequest(signal) {
  if (signal.aborted) {
    return 'timeout';
  }
  return navigator.onLine === false ? 'offline' : 'network';
}
