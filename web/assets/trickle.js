// Candidates told to the server as they are found (RFC 8838 over RFC 9725, 4.3.2).

import { fragmentType, makeFragment } from './fragment.js';

const gatherFor = 50;

// Trickle patches the session's resource with the candidates of pc, those together that come together.
export class Trickle {
  #pc;
  #signalling;
  #found = [];
  #ended = false;
  #wanted = true; // the server takes candidates
  #held = false;
  #timer = 0;

  constructor(pc, signalling) {
    this.#pc = pc;
    this.#signalling = signalling;
    pc.addEventListener('icecandidate', ({ candidate }) => this.#find(candidate));
  }

  // hold forgets what has been found, and keeps what is found from now on until release().
  hold() {
    this.#held = true;
    this.#found = [];
    this.#ended = false;
  }

  release() {
    this.#held = false;
    if (this.#found.length > 0 || this.#ended) {
      this.#tellSoon();
    }
  }

  // close tells nothing more.
  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
  }

  // find keeps a candidate, or the word that there are no more, until some have come together.
  #find(candidate) {
    if (candidate?.candidate) {
      this.#found.push(candidate);
    } else {
      this.#ended = true;
    }
    this.#tellSoon();
  }

  #tellSoon() {
    clearTimeout(this.#timer);
    if (this.#wanted && !this.#held) {
      this.#timer = setTimeout(() => this.#tell(), gatherFor);
    }
  }

  // A server that wants no candidates finds ours by the packets that come from them.
  async #tell() {
    const fragment = makeFragment(this.#pc.localDescription.sdp, this.#found.splice(0), { ended: this.#ended });
    this.#ended = false;
    try {
      await this.#signalling.patch(fragmentType, fragment, this.#signalling.etag);
    } catch ({ status }) {
      this.#wanted &&= !(status >= 400) || status === 412 || status === 429;
    }
  }
}
