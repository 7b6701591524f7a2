// One attempt to sign in, and the words for its outcome.

import { retryAfter } from './backoff.js';
import { httpFailure } from './failure.js';

const requestTimeout = 15_000;
const unreachable = 'The gateway cannot be reached. It may be restarting, or the network between is down.';

const wrong = { token: 'The gateway does not know this token.', password: 'The name or the password is wrong.' };

const refusals = {
  404: 'There is nothing to sign in to at this address.',
  405: 'There is nothing to sign in to at this address.',
  503: 'The gateway cannot ask whoever knows the users. Try again in a moment.',
};

// attempt shows the gateway the credentials, {token} or {user, password}. It resolves to {ok, words, wait}: whether a
// cookie is set now, what to tell the user if not, and the milliseconds for which the gateway takes no attempts.
export async function attempt(credentials) {
  try {
    const response = await fetch('/login', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(credentials),
      signal: AbortSignal.timeout(requestTimeout),
    });
    return response.ok ? { ok: true, words: '', wait: 0 } : await refused(response, credentials);
  } catch {
    return { ok: false, words: unreachable, wait: 0 };
  }
}

async function refused(response, credentials) {
  if (response.status === 429) {
    const wait = retryAfter(response.headers.get('Retry-After'));
    return { ok: false, words: waitWords(wait), wait };
  }
  if (response.status === 401) {
    return { ok: false, words: 'token' in credentials ? wrong.token : wrong.password, wait: 0 };
  }
  const { detail } = httpFailure(response.status, response.headers.get('Content-Type'), await response.text());
  return { ok: false, words: detail || refusals[response.status] || `The gateway answered with status ${response.status}.`, wait: 0 };
}

// waitWords says how long the gateway takes no more attempts.
export function waitWords(wait) {
  const seconds = Math.ceil(wait / 1000);
  if (seconds <= 0) {
    return 'Too many attempts. Try again in a moment.';
  }
  return `Too many attempts. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
}

// credentialsOf picks from the form's values what to show the gateway; undefined while something is missing. Tokens are
// often pasted with a space or a line end.
export function credentialsOf({ named, token, user, password }) {
  if (named) {
    return user.trim() && password ? { user: user.trim(), password } : undefined;
  }
  return token.trim() ? { token: token.trim() } : undefined;
}
