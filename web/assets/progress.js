// Whether pictures come, judged from counters that are read now and then.

const stallAfter = 3_000;
const undecodableAfter = 6_000;
const slept = 5_000;

// Progress follows one session. Its verdicts: "starting" and "flowing"; "nopicture" and "stalled" when nothing
// has come for three seconds, before and after the first picture; "undecodable" when data came all the time
// and gave no picture.
export class Progress {
  #frames = 0;
  #seen = false;
  #sampledAt;
  #pictureAt;
  #dataAt;
  #bytes = 0;

  constructor(now) {
    this.#sampledAt = now;
    this.#pictureAt = now;
    this.#dataAt = now;
  }

  // sample takes the counters of decoded pictures and received bytes at the time now, in milliseconds.
  sample({ now, frames, bytes }) {
    this.#forgive(now);
    if (bytes > this.#bytes) {
      this.#dataAt = now;
    }
    if (frames > this.#frames) {
      this.#pictureAt = now;
      this.#seen = true;
    }
    this.#frames = frames;
    this.#bytes = bytes;
    return this.#verdict(now);
  }

  // A page that was suspended has missed its samples, not its pictures.
  #forgive(now) {
    const gap = now - this.#sampledAt;
    this.#sampledAt = now;
    if (gap > slept) {
      this.#pictureAt += gap;
      this.#dataAt += gap;
    }
  }

  #verdict(now) {
    const calm = this.#seen ? 'flowing' : 'starting';
    if (now - this.#dataAt >= stallAfter) {
      return this.#seen ? 'stalled' : 'nopicture';
    }
    if (now - this.#pictureAt >= undecodableAfter && this.#bytes > 0) {
      return 'undecodable';
    }
    return calm;
  }
}
