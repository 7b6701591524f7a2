// What the gateway's API says of a stream that shows no picture: where that comes from, and what is wrong with it.

const requestTimeout = 2_000;
const askAgain = 3_000;

const nouns = [
  [/^publish$/, 'publisher'],
  [/^gst:/, 'pipeline'],
  [/^device:screen/, 'screen'],
  [/^device:microphone/, 'microphone'],
  [/^(demo|rtsps?|onvif|device):/, 'camera'],
];

// causeOf picks from a stream of the API: noun, what its picture comes from, error, why that is away, fault, why no
// picture is made of it, and making, that one is about to be. Where nothing is known they are '' and false.
export function causeOf({ source = '', state = '', error = '', transcodes } = {}) {
  const noun = nouns.find(([pattern]) => pattern.test(source))?.[1] ?? 'source';
  const pictures = (transcodes ?? []).filter((made) => made.kind === 'video' && made.state !== 'running');
  return {
    noun,
    error: state === 'ready' ? '' : error,
    fault: pictures.find((made) => made.error)?.error ?? '',
    making: pictures.length > 0,
  };
}

// Cause keeps asking for the cause of a trouble for as long as that lasts.
export class Cause {
  #url;
  #timer = 0;
  #round;
  #known;

  constructor(name) {
    this.#url = `/api/v1/streams/${encodeURIComponent(name)}`;
  }

  // follow calls tell with what causeOf gives, at first and each time that it may be something else.
  follow(tell) {
    this.leave();
    const round = async () => {
      const stream = await ask(this.#url);
      if (this.#round !== round) {
        return;
      }
      this.#known = stream ?? this.#known;
      tell(causeOf(this.#known));
      this.#timer = setTimeout(round, askAgain);
    };
    this.#round = round;
    round();
  }

  // leave asks no more.
  leave() {
    clearTimeout(this.#timer);
    this.#round = undefined;
  }
}

async function ask(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeout) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined; // the page says less
  }
}
