// Whether a browser gets pictures and decodes none.

const blindAfter = 3_000;
const slept = 2_000;

// Blindness follows the picture of one session while somebody looks at the page: in a hidden one, a browser may decode
// nothing.
export class Blindness {
  #over = false;
  #sampledAt;
  #since;
  #first = 0;

  // sample takes a summary's video (see stats.js) at the time now, in milliseconds. It returns what to report to the
  // gateway, once: when pictures have come for three seconds and none was decoded.
  sample({ now, hidden, video }) {
    const gap = now - (this.#sampledAt ?? now);
    this.#sampledAt = now;
    this.#over ||= (video?.frames ?? 0) > 0;
    const received = video?.received ?? video?.packets ?? 0;
    if (this.#over || hidden || gap > slept || received === 0) {
      this.#since = undefined;
      return undefined;
    }
    if (this.#since === undefined) {
      this.#since = now;
      this.#first = received;
    }
    if (now - this.#since < blindAfter || received <= this.#first) {
      return undefined;
    }
    this.#over = true;
    return { framesDecoded: 0, [video.received === undefined ? 'packetsReceived' : 'framesReceived']: received };
  }
}
