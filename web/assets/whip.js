// One WHIP session (RFC 9725): tracks offered, candidates trickled, and a broken path mended by an ICE restart.

import { addVideo, encodings, preferences } from './layers.js';
import { iceServers } from './link.js';
import { restartICE } from './restart.js';
import { Session } from './session.js';
import { Trickle } from './trickle.js';

const restartTimeout = 10_000;

// WhipSession is one stay at a WHIP endpoint. Besides what each Session emits there is "restarting", when the
// path to the server is lost and another is sought.
export class WhipSession extends Session {
  #stream;
  #options;
  #offered;
  #trickle;
  #restarting = false;

  // stream has at most one picture and one sound. The options: simulcast (three layers), codec (the only one to
  // offer for the picture; '' for the browser's order).
  constructor(url, stream, { simulcast = false, codec = '' } = {}) {
    super(url);
    this.#stream = stream;
    this.#options = { simulcast, codec };
  }

  // The local description is set only when the answer has told the ICE servers: gathering begins with it.
  async offer() {
    this.#trickle = new Trickle(this.pc, this.signalling);
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
    this.#trickle?.close();
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

  async #restart() {
    this.#restarting = true;
    this.#trickle.hold();
    this.emit('restarting');
    try {
      await restartICE(this.pc, this.signalling, () => this.over);
    } catch {
      this.end('lost');
    }
    this.#restarting = false;
    this.#trickle.release();
  }
}
