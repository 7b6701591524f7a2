// The publisher: keeps a stream of this page's going to a WHIP endpoint, through whatever goes wrong.

import { Backoff } from './backoff.js';
import { Failure } from './failure.js';
import { meter } from './meter.js';
import { askVerdict } from './signalling.js';
import { hopeless } from './trouble.js';
import { WhipSession } from './whip.js';

const sampleEvery = 1_000;
const successorAfter = 2_000;

// Publisher publishes to a WHIP endpoint, and again when the connection is lost. Its events:
//   "statechange"  state or failure is another
//   "stats"        once a second while connected; detail is a meter (see meter.js)
export class Publisher extends EventTarget {
  // state is "idle", "connecting", "live" or "failed".
  state = 'idle';
  // failure is the Failure to tell the user, or undefined while all is well. With "connecting" it is the reason
  // why that takes another attempt.
  failure = undefined;

  #url;
  #stream;
  #options;
  #session;
  #meter;
  #sampler = 0;
  #retryTimer = 0;
  #wasLive = false;
  #backoff = new Backoff();
  #listeners = new AbortController();

  constructor(url) {
    super();
    this.#url = url;
  }

  // start publishes the tracks of a MediaStream; options are those of WhipSession.
  start(stream, options) {
    this.stop();
    this.#stream = stream;
    this.#options = options;
    this.#wasLive = false;
    this.#listeners = new AbortController();
    addEventListener('online', () => this.#retryTimer && this.#connect(), { signal: this.#listeners.signal });
    this.#connect();
  }

  // stop leaves the session. The tracks stay the caller's.
  stop() {
    this.#listeners.abort();
    this.#leave();
    this.#backoff.reset();
    this.#become('idle');
  }

  // replace sends another stream from now on: track by track where its kinds are the same, else anew.
  async replace(stream) {
    const before = kinds(this.#stream);
    this.#stream = stream;
    if (this.state === 'live' && before === kinds(stream)) {
      await Promise.all(stream.getTracks().map((track) => this.#session.replace(track)));
    } else if (this.state === 'live' || this.state === 'connecting') {
      this.#leave();
      this.#connect();
    }
  }

  async #connect() {
    this.#leave();
    this.#become('connecting', this.failure);
    const session = new WhipSession(this.#url, this.#stream, this.#options);
    this.#session = session;
    session.addEventListener('connected', () => this.#connected(session));
    session.addEventListener('restarting', () => this.#become('connecting', new Failure('lost')));
    session.addEventListener('ended', ({ detail }) => this.#fail(detail));
    try {
      await session.open();
    } catch (failure) {
      if (this.#session === session) {
        this.#fail(failure);
      }
    }
  }

  #connected(session) {
    this.#backoff.reset();
    this.#wasLive = true;
    this.#become('live');
    clearInterval(this.#sampler);
    this.#sampler = setInterval(() => this.#sample(session), sampleEvery);
  }

  async #sample(session) {
    const report = await session.stats().catch(() => undefined);
    if (report && this.#session === session) {
      this.#meter = meter(report, this.#meter);
      this.dispatchEvent(new CustomEvent('stats', { detail: this.#meter }));
    }
  }

  #fail(failure) {
    const { dismissed, signalling } = this.#session ?? {};
    const resource = signalling?.resource;
    this.#leave();
    if (this.#isFinal(failure)) {
      this.#become('failed', failure);
      return;
    }
    this.#become('connecting', failure);
    const wait = dismissed ? successorAfter : this.#backoff.next(failure.retryAfter);
    this.#retryTimer = setTimeout(() => this.#succeed(resource), wait);
  }

  // After a loss the place may be taken by our own former session, until the server misses it.
  #isFinal(failure) {
    return hopeless(failure) && !(failure.status === 409 && this.#wasLive);
  }

  // A connection that is lost may have been closed, whether that was heard or not, because the place was given to somebody
  // else, which the server's verdict of the session tells: two pages that took it from each other in turn would both be of
  // no use.
  async #succeed(resource) {
    const timer = this.#retryTimer;
    const verdict = await askVerdict(resource);
    if (this.#retryTimer !== timer) {
      return;
    }
    if (verdict?.detail === 'replaced') {
      this.#leave();
      this.#become('failed', new Failure('replaced'));
    } else {
      this.#connect();
    }
  }

  #leave() {
    clearTimeout(this.#retryTimer);
    clearInterval(this.#sampler);
    this.#retryTimer = 0;
    this.#session?.close();
    this.#session = undefined;
    this.#meter = undefined;
  }

  #become(state, failure) {
    if (this.state === state && this.failure === failure) {
      return;
    }
    this.state = state;
    this.failure = failure;
    this.dispatchEvent(new CustomEvent('statechange'));
  }
}

function kinds(stream) {
  return stream.getTracks().map(({ kind }) => kind).sort().join(' ');
}
