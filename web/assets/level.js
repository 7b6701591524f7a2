// How loud a stream is.

const every = 100;
const quietest = -60; // dB

// loudness maps samples of −1 to 1 to a length from 0 (silence, or below −60 dB) to 1 (full scale).
export function loudness(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power * 2);
  return Math.min(1, Math.max(0, 1 - decibels / quietest));
}

// Level listens to one stream at a time and tells, ten times a second, how loud it is.
export class Level {
  #show;
  #context;
  #source;
  #timer = 0;

  // show is called with a length from 0 to 1.
  constructor(show) {
    this.#show = show;
  }

  // watch listens to the stream instead of the one before; to nothing if it is undefined or without sound.
  watch(stream) {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#source = undefined;
    this.#show(0);
    if (!stream?.getAudioTracks().length || typeof AudioContext === 'undefined') {
      return;
    }
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => {});
    const analyser = this.#context.createAnalyser();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#show(loudness(samples));
    }, every);
  }
}
