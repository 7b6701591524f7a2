// One WHEP session (draft-ietf-wish-whep): what a viewer offers, and what it gets.

import { Failure } from './failure.js';
import { iceServers, linkTo } from './link.js';
import { restartICE } from './restart.js';
import { askServers } from './servers.js';
import { connectTimeout, Session } from './session.js';
import { Trickle } from './trickle.js';

const extension = 'urn:ietf:params:whep:ext:core:';
const trouble = 'urn:sluice:whep:trouble';
const helpAfter = 1_000;

// WhepSession is one stay at a WHEP endpoint. Besides what each Session emits there is "track", with an
// RTCTrackEvent as detail.
//
// It begins without ICE servers: nearly all viewers reach the gateway directly, and to know the servers first would cost
// each of them a round trip. Browsers (Chromium 156, Firefox 153) gather by servers that are named once the offer stands
// only at the next offer, which they make a restart. So where there is no path after a second, the servers of the
// gateway's answer are used with an ICE restart; the picture is there one request and a relay's making later.
export class WhepSession extends Session {
  #url;
  #relay;
  #trickle;
  #helpTimer = 0;
  #helped = false;
  #helping = false; // the restart is not agreed on yet
  #stood = false; // it has been connected

  // A patient session asks the gateway to hold the request for a camera that is away (RFC 7240 4.3). One that the
  // page has begun (see Session) is none. A relay session uses nothing but a TURN server, which it has to know first.
  constructor(url, { patient = false, relay = false, begun } = {}) {
    super(url, patient ? { Prefer: 'wait=4' } : {}, begun);
    this.#url = url;
    this.#relay = relay;
    this.addEventListener('connected', () => { this.#stood = true; });
  }

  async open() {
    await super.open();
    if (!this.over && !this.#relay && !this.#hasPath) {
      this.#helpTimer = setTimeout(() => this.#help(), helpAfter);
    }
  }

  close() {
    clearTimeout(this.#helpTimer);
    this.#trickle?.close();
    super.close();
  }

  // A browser may see sooner than we that there is no path, also while another is being agreed on.
  disconnected(final) {
    if (final && this.#helping && !this.#stood) {
      this.endIn(connectTimeout, 'ice');
    } else if (final && !this.#stood && !this.#helped && !this.#relay && this.#servers.length > 0) {
      this.#help();
    } else {
      super.disconnected(final);
    }
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
    if (this.#relay) {
      this.#use(await this.#askRelays(), { iceTransportPolicy: 'relay' });
    }
    this.pc.addTransceiver('video', { direction: 'recvonly' });
    this.pc.addTransceiver('audio', { direction: 'recvonly' });
    await this.pc.setLocalDescription();
    return this.pc.localDescription.sdp;
  }

  #linked(relation) {
    const { links, resource } = this.signalling;
    return resource ? linkTo(links, relation, resource) : undefined;
  }

  get #servers() {
    return iceServers(this.signalling.links);
  }

  get #hasPath() {
    return ['connected', 'completed'].includes(this.pc.iceConnectionState);
  }

  #use(iceServers, more = {}) {
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers, ...more });
  }

  async #askRelays() {
    const base = new URL(this.#url, globalThis.location?.href).href;
    const servers = await askServers(base);
    if (!servers.some(({ urls }) => urls.some((url) => /^turns?:/i.test(url)))) {
      throw new Failure('norelay');
    }
    return servers;
  }

  // help seeks a path by the gateway's ICE servers. If that fails too, the session ends in its time.
  async #help() {
    clearTimeout(this.#helpTimer);
    if (this.over || this.#helped || this.#hasPath || this.#servers.length === 0) {
      return;
    }
    this.#helped = true;
    this.endIn(connectTimeout, 'ice');
    this.#trickle = new Trickle(this.pc, this.signalling);
    this.#trickle.hold();
    this.#helping = true;
    const agreed = await this.#restart();
    this.#helping = false;
    if (agreed) {
      this.#trickle.release();
    } else if (this.pc.connectionState === 'failed') {
      super.disconnected(true); // else there may still be a path without the servers
    }
  }

  async #restart() {
    try {
      this.#use(this.#servers);
      await restartICE(this.pc, this.signalling, () => this.over);
      return true;
    } catch {
      return false;
    }
  }
}
