// One WHIP session (RFC 9725): tracks offered, candidates trickled, and a broken path mended by an ICE restart.

import { fragmentType, makeFragment, restarted } from './fragment.js';
import { addVideo, encodings, preferences } from './layers.js';
import { iceServers } from './link.js';
import { Session } from './session.js';

const gatherFor = 50;
const restartTimeout = 10_000;
const askAgainAfter = 1_000;

// WhipSession is one stay at a WHIP endpoint. Besides what each Session emits there is "restarting", when the
// path to the server is lost and another is sought.
export class WhipSession extends Session {
  #stream;
  #options;
  #offered;
  #found = [];
  #ended = false;
  #trickles = true;
  #restarting = false;
  #timer = 0;

  // stream has at most one picture and one sound. The options: simulcast (three layers), codec (the only one to
  // offer for the picture; '' for the browser's order).
  constructor(url, stream, { simulcast = false, codec = '' } = {}) {
    super(url);
    this.#stream = stream;
    this.#options = { simulcast, codec };
  }

  // The local description is set only when the answer has told the ICE servers: gathering begins with it.
  async offer() {
    this.pc.addEventListener('icecandidate', ({ candidate }) => this.#find(candidate));
    this.#stream.getTracks().forEach((track) => this.#add(track));
    this.#offered = await this.pc.createOffer();
    return this.#offered.sdp;
  }

  async accepted() {
    const servers = iceServers(this.signalling.links);
    if (servers.length > 0) {
      this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: servers });
    }
    await this.pc.setLocalDescription(this.#offered);
  }

  // replace sends another track in the place of the one of its kind; false if none of that kind is sent.
  async replace(track) {
    const sender = this.pc?.getSenders().find((each) => each.track?.kind === track.kind);
    await sender?.replaceTrack(track);
    return Boolean(sender);
  }

  disconnected() {
    this.endIn(restartTimeout, 'lost');
    if (!this.#restarting) {
      this.#restart();
    }
  }

  close() {
    clearTimeout(this.#timer);
    super.close();
  }

  #add(track) {
    if (track.kind === 'audio') {
      this.pc.addTransceiver(track, { direction: 'sendonly', streams: [this.#stream] });
      return;
    }
    const { simulcast, codec } = this.#options;
    const transceiver = addVideo(this.pc, track, this.#stream, encodings(track.getSettings().height ?? 720, simulcast));
    if (codec) {
      transceiver.setCodecPreferences(preferences(RTCRtpSender.getCapabilities('video'), codec));
    }
  }

  // find keeps a candidate, or the word that there are no more, until some have come together.
  #find(candidate) {
    if (candidate?.candidate) {
      this.#found.push(candidate);
    } else {
      this.#ended = true;
    }
    this.#trickleSoon();
  }

  #trickleSoon() {
    clearTimeout(this.#timer);
    if (this.#trickles && !this.#restarting && !this.over) {
      this.#timer = setTimeout(() => this.#trickle(), gatherFor);
    }
  }

  // A server that wants no candidates finds ours by the packets that come from them.
  async #trickle() {
    const candidates = this.#found.splice(0);
    const fragment = makeFragment(this.pc.localDescription.sdp, candidates, { ended: this.#ended });
    this.#ended = false;
    try {
      await this.signalling.patch(fragmentType, fragment, this.signalling.etag);
    } catch ({ status }) {
      this.#trickles = !(status >= 400) || status === 412 || status === 429;
    }
  }

  async #restart() {
    this.#restarting = true;
    this.#found = [];
    this.emit('restarting');
    try {
      await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: true }));
      const fragment = await this.#askRestart(makeFragment(this.pc.localDescription.sdp, []));
      await this.pc.setRemoteDescription({ type: 'answer', sdp: restarted(this.pc.remoteDescription.sdp, fragment) });
    } catch {
      this.end('lost');
    }
    this.#restarting = false;
    this.#trickleSoon();
  }

  // While the network is away there is nobody to ask; close() and the timeout end the asking.
  async #askRestart(fragment) {
    for (;;) {
      try {
        return await this.signalling.patch(fragmentType, fragment, '*');
      } catch (failure) {
        if (failure.kind === 'http' || this.over) {
          throw failure;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, askAgainAfter));
      if (this.over) {
        throw new Error('the session is over');
      }
    }
  }
}
