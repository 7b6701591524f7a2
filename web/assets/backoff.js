// How long to wait before the next attempt.

const longestRetryAfter = 300_000;

// Backoff gives waiting times in milliseconds: half a second, doubling to five, each taken at random from the
// upper half of its span so that viewers who were cut off together do not come back together.
export class Backoff {
  #first;
  #most;
  #random;
  #attempts = 0;

  constructor({ first = 500, most = 5000, random = Math.random } = {}) {
    this.#first = first;
    this.#most = most;
    this.#random = random;
  }

  // next is the time to wait after one more failure. A time that the server asked for is kept instead of ours,
  // up to a tenth longer.
  next(asked = 0) {
    const span = Math.min(this.#first * 2 ** this.#attempts, this.#most);
    this.#attempts += 1;
    if (asked > 0) {
      return Math.round(asked * (1 + this.#random() / 10));
    }
    return Math.round(span * (0.5 + this.#random() / 2));
  }

  reset() {
    this.#attempts = 0;
  }
}

// retryAfter reads a Retry-After header (RFC 9110, 10.2.3), seconds or a date, as milliseconds from now; 0 if
// it is absent, past or not understood, five minutes at most.
export function retryAfter(header, now = Date.now()) {
  const text = (header ?? '').trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return wait > 0 ? Math.min(wait, longestRetryAfter) : 0;
}
