// What a stay at a WHIP and at a WHEP endpoint have in common: a peer connection, its signalling, and its end.

import { Failure } from './failure.js';
import { askVerdict, Signalling } from './signalling.js';

// connectTimeout is how long a path to the server may be sought, in milliseconds.
export const connectTimeout = 10_000;
const disconnectedFor = 4_000;

// Session is one stay at an endpoint. It emits "connected", and at most once "ended" with the Failure that ended
// it as detail; after close() it emits nothing. A kind of session fills in offer(), and what else it needs.
export class Session extends EventTarget {
  // pc is the RTCPeerConnection, from open() on.
  pc = undefined;
  // signalling is the session's HTTP side.
  signalling;
  // dismissed tells that the server has closed the connection, rather than that it broke.
  dismissed = false;

  #headers;
  #begun;
  #timer = 0;
  #stood = false; // it has been connected
  #ending = false;
  #over = false;

  // headers go with the offer. begun is what the page has begun before there was a session (inline/ask.js), if
  // anything: its connection pc with the tracks that have come, request, which resolves to the response to come once
  // the offer is on its way, and applied, which resolves once the answer is.
  constructor(url, headers = {}, begun = undefined) {
    super();
    this.signalling = new Signalling(url);
    this.#headers = headers;
    this.#begun = begun;
  }

  get over() {
    return this.#over;
  }

  // open posts the offer and resolves once the answer is applied; media come later. It rejects with a Failure.
  // The offer leaves without candidates: the gateway offers its own, and learns ours from the first packet that
  // it gets, so nothing waits for gathering.
  async open() {
    try {
      await this.#negotiate();
    } catch (err) {
      throw err instanceof Failure ? err : new Failure('negotiation', { detail: err.message, cause: err });
    }
    if (!this.#over && this.pc.connectionState !== 'connected') {
      this.endIn(connectTimeout, 'ice');
    }
  }

  // stats resolves to the connection's RTCStatsReport.
  stats() {
    return this.pc.getStats();
  }

  // close leaves, and tells the gateway so, even while the page goes away.
  close() {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#timer);
    this.pc?.close();
    this.signalling.leave();
  }

  // opened is called when there is a connection, before the offer, or with the tracks that it has already.
  opened() {}

  // offer fills the connection with what is wanted of it, and resolves to the SDP to send.
  async offer() {
    throw new Error('a session has an offer');
  }

  // accepted is called when the answer has come and is not yet applied.
  async accepted() {}

  // disconnected is called when the peer is not heard any more, or (final) when the connection has given it up.
  disconnected(final) {
    if (final) {
      this.end('lost');
    } else {
      this.endIn(disconnectedFor, 'lost');
    }
  }

  // endIn ends the session later, unless its connection changes before that.
  endIn(milliseconds, kind) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(kind), milliseconds);
  }

  // end tells why. Where there never was a connection the gateway is asked first, which has seen the other side of it.
  async end(kind) {
    if (this.#ending) {
      return;
    }
    this.#ending = true;
    const never = !this.#stood && !this.dismissed && (kind === 'lost' || kind === 'ice');
    const verdict = never ? await askVerdict(this.signalling.resource) : undefined;
    if (!never) {
      this.#finish(new Failure(kind));
    } else if (!this.#stood) {
      this.#finish(new Failure('ice', { verdict }));
    } else if (this.pc.connectionState === 'connected') {
      this.#ending = false; // it has come about meanwhile
    } else {
      this.#finish(new Failure('lost')); // it has, and was lost again
    }
  }

  #finish(failure) {
    this.emit('ended', failure);
    this.close();
  }

  emit(type, detail) {
    if (!this.#over) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }
  }

  async #negotiate() {
    this.#connect();
    this.opened(this.#begun?.tracks);
    const answer = this.#begun ? await this.#adopt(this.#begun) : await this.#post();
    if (this.#over) {
      this.signalling.leave();
      return;
    }
    await this.accepted();
    await (this.#begun?.applied ?? this.pc.setRemoteDescription({ type: 'answer', sdp: answer }));
    this.#watchTransports();
  }

  async #adopt({ request, abort }) {
    const { response } = await request;
    return this.signalling.adopt(response, abort);
  }

  async #post() {
    return this.signalling.post(await this.offer(), this.#headers);
  }

  #connect() {
    if (typeof RTCPeerConnection === 'undefined') {
      throw new Failure('unsupported');
    }
    this.pc = this.#begun?.pc ?? new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc.addEventListener('connectionstatechange', () => this.#connectionChanged());
    if (this.#begun && this.pc.connectionState !== 'new') {
      this.#connectionChanged();
    }
  }

  #connectionChanged() {
    clearTimeout(this.#timer);
    switch (this.pc.connectionState) {
      case 'connected':
        this.#stood = true;
        this.emit('connected');
        break;
      case 'connecting':
        this.endIn(connectTimeout, 'ice');
        break;
      case 'disconnected':
        this.disconnected(false);
        break;
      case 'failed':
        this.disconnected(true);
        break;
      case 'closed':
        this.end('lost');
        break;
    }
  }

  // A server that leaves closes DTLS, which browsers tell of the transport but not always of the connection. The
  // transport of a section that the answer refuses closes too, and means nothing.
  #watchTransports() {
    const used = this.pc.getTransceivers().filter(({ currentDirection }) => currentDirection && currentDirection !== 'inactive');
    const transports = new Set(used.map(({ receiver }) => receiver.transport).filter(Boolean));
    for (const transport of transports) {
      transport.addEventListener('statechange', () => this.#transportChanged(transport.state));
    }
  }

  #transportChanged(state) {
    if (state === 'closed' || state === 'failed') {
      this.dismissed = state === 'closed';
      this.end('lost');
    }
  }
}
