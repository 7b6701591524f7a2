// One WHEP session (draft-ietf-wish-whep): an offer posted, an answer taken, a resource deleted.

import { retryAfter } from './backoff.js';
import { Failure, httpFailure } from './failure.js';

const postTimeout = 10_000;
const connectTimeout = 10_000;
const disconnectedFor = 4_000;

// WhepSession is one stay at a WHEP endpoint. It emits "track" (an RTCTrackEvent as detail), "connected", and
// at most once "ended" with the Failure that ended it; after close() it emits nothing.
export class WhepSession extends EventTarget {
  #url;
  #patient;
  #pc;
  #resource = '';
  #timer = 0;
  #over = false;

  // A patient session asks the gateway to hold the request for a camera that is away (RFC 7240 4.3).
  constructor(url, { patient = false } = {}) {
    super();
    this.#url = url;
    this.#patient = patient;
  }

  // open asks for the stream and resolves once the answer is applied; media come later. It rejects with a
  // Failure. The offer leaves without candidates: the gateway offers its own, and learns ours from the first
  // packet that it gets, so nothing waits for gathering.
  async open() {
    try {
      this.#connect();
      await this.#pc.setLocalDescription();
      const answer = await this.#post(this.#pc.localDescription.sdp);
      if (this.#over) {
        return;
      }
      await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer });
      this.#watchTransports();
    } catch (err) {
      throw err instanceof Failure ? err : new Failure('negotiation', { detail: err.message, cause: err });
    }
    if (this.#pc.connectionState !== 'connected') {
      this.#endIn(connectTimeout, 'ice');
    }
  }

  // stats resolves to the connection's RTCStatsReport.
  stats() {
    return this.#pc.getStats();
  }

  // close leaves, and tells the gateway so, even while the page goes away.
  close() {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#timer);
    this.#pc?.close();
    this.#delete();
  }

  #connect() {
    if (typeof RTCPeerConnection === 'undefined') {
      throw new Failure('unsupported');
    }
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addEventListener('track', (event) => this.#emit('track', event));
    pc.addEventListener('connectionstatechange', () => this.#connectionChanged());
    this.#pc = pc;
  }

  async #post(offer) {
    const response = await this.#request(offer);
    const resource = response.headers.get('Location');
    if (resource) {
      this.#resource = new URL(resource, response.url).href;
    }
    if (this.#over) {
      this.#delete();
      return '';
    }
    const body = await response.text();
    if (!response.ok) {
      const wait = retryAfter(response.headers.get('Retry-After'));
      throw httpFailure(response.status, response.headers.get('Content-Type'), body, wait);
    }
    return body;
  }

  async #request(offer) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), postTimeout);
    try {
      return await fetch(this.#url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/sdp', Accept: 'application/sdp', ...(this.#patient && { Prefer: 'wait=4' }),
        },
        body: offer,
        signal: abort.signal,
      });
    } catch (cause) {
      throw new Failure(failedRequest(abort.signal), { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #delete() {
    if (this.#resource) {
      fetch(this.#resource, { method: 'DELETE', keepalive: true }).catch(() => {});
      this.#resource = '';
    }
  }

  #connectionChanged() {
    clearTimeout(this.#timer);
    switch (this.#pc.connectionState) {
      case 'connected':
        this.#emit('connected');
        break;
      case 'connecting':
        this.#endIn(connectTimeout, 'ice');
        break;
      case 'disconnected':
        this.#endIn(disconnectedFor, 'lost');
        break;
      case 'failed':
      case 'closed':
        this.#end('lost');
        break;
    }
  }

  // A server that leaves closes DTLS, which browsers tell of the transport but not always of the connection. The
  // transport of a section that the answer refuses closes too, and means nothing.
  #watchTransports() {
    const used = this.#pc.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly');
    const transports = new Set(used.map(({ receiver }) => receiver.transport).filter(Boolean));
    for (const transport of transports) {
      transport.addEventListener('statechange', () => {
        if (transport.state === 'closed' || transport.state === 'failed') {
          this.#end('lost');
        }
      });
    }
  }

  #endIn(milliseconds, kind) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(kind), milliseconds);
  }

  #end(kind) {
    this.#emit('ended', new Failure(kind));
    this.close();
  }

  #emit(type, detail) {
    if (!this.#over) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }
  }
}

function failedRequest(signal) {
  if (signal.aborted) {
    return 'timeout';
  }
  return navigator.onLine === false ? 'offline' : 'network';
}
