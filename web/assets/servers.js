// The STUN and TURN servers that the gateway names to whoever asks.

import { Failure, httpFailure } from './failure.js';
import { retryAfter } from './backoff.js';

const requestTimeout = 10_000;

// serversOf reads the API's list as an RTCPeerConnection wants it. What is broken is left out.
export function serversOf(body) {
  const list = Array.isArray(body?.ice_servers) ? body.ice_servers : [];
  return list.map(({ urls, username, credential } = {}) => {
    const named = [urls].flat().filter((url) => typeof url === 'string' && /^(stun|turn)s?:/i.test(url));
    return username === undefined || username === '' ? { urls: named } : { urls: named, username, credential: credential ?? '' };
  }).filter(({ urls }) => urls.length > 0);
}

// askServers asks the gateway that has the page or endpoint at base for them. It rejects with a Failure.
export async function askServers(base) {
  let response;
  try {
    response = await fetch(new URL('/api/v1/ice', base).href, {
      headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(requestTimeout),
    });
  } catch (cause) {
    throw new Failure(cause.name === 'TimeoutError' ? 'timeout' : 'network', { cause });
  }
  if (!response.ok) {
    const wait = retryAfter(response.headers.get('Retry-After'));
    throw httpFailure(response.status, response.headers.get('Content-Type'), await response.text(), wait);
  }
  return serversOf(await response.json().catch(() => undefined));
}
