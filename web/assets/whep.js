// One WHEP session (draft-ietf-wish-whep): what a viewer offers, and what it gets.

import { linkTo } from './link.js';
import { Session } from './session.js';

const extension = 'urn:ietf:params:whep:ext:core:';
const trouble = 'urn:sluice:whep:trouble';

// WhepSession is one stay at a WHEP endpoint. Besides what each Session emits there is "track", with an
// RTCTrackEvent as detail.
export class WhepSession extends Session {
  // A patient session asks the gateway to hold the request for a camera that is away (RFC 7240 4.3). One that the
  // page has begun (see Session) is none.
  constructor(url, { patient = false, begun } = {}) {
    super(url, patient ? { Prefer: 'wait=4' } : {}, begun);
  }

  // eventsURL is where server-sent events of the stream are ordered; undefined if the server has none.
  get eventsURL() {
    return this.#linked(`${extension}server-sent-events`);
  }

  // layerURL is where a layer is chosen; undefined if the server gives no choice.
  get layerURL() {
    return this.#linked(`${extension}layer`);
  }

  // troubleURL is where to report that nothing of the picture can be decoded; undefined if the server can't help that.
  get troubleURL() {
    return this.#linked(trouble);
  }

  // lacksVideo tells that the server had no picture to answer with.
  get lacksVideo() {
    return this.pc.getTransceivers().some(({ receiver, currentDirection }) => (
      receiver.track.kind === 'video' && currentDirection === 'inactive'
    ));
  }

  opened(tracks = []) {
    this.pc.ontrack = (event) => this.emit('track', event);
    tracks.forEach(this.pc.ontrack);
  }

  async offer() {
    this.pc.addTransceiver('video', { direction: 'recvonly' });
    this.pc.addTransceiver('audio', { direction: 'recvonly' });
    await this.pc.setLocalDescription();
    return this.pc.localDescription.sdp;
  }

  #linked(relation) {
    const { links, resource } = this.signalling;
    return resource ? linkTo(links, relation, resource) : undefined;
  }
}
