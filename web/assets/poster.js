// The newest picture of a stream, where there is no live one.

const requestTimeout = 5_000;
const posterAge = 30_000;
const retryAge = 5_000; // of the last try where no picture came: a stream that has just begun has none yet

// snapshotURL is where the newest picture of a stream is. It is another each second, so that the browser asks again.
export function snapshotURL(name, now = Date.now()) {
  return `/${encodeURIComponent(name)}/snapshot.jpg?at=${Math.floor(now / 1000)}`;
}

// posterOf resolves to the URL of a stream's newest picture, which has come by then; '' if there is none. The API is
// asked first: browsers log a picture that is missing as an error.
export async function posterOf(name) {
  try {
    const response = await fetch(`/api/v1/streams/${encodeURIComponent(name)}`, { signal: AbortSignal.timeout(requestTimeout) });
    const { snapshot } = response.ok ? await response.json() : {};
    return snapshot ? await loaded(snapshotURL(name)) : '';
  } catch {
    return '';
  }
}

async function loaded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => url, () => '');
}

// Posters keeps pictures of many streams fresh, one after the other: each costs the gateway a decoder for a moment.
export class Posters {
  #due = new Map(); // when to ask next, by name
  #busy = false;

  // refresh asks for the pictures of those that are seen: each is {name, image}, an <img> that is hidden until there is one.
  async refresh(seen) {
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    for (const { name, image } of seen.filter((card) => performance.now() >= (this.#due.get(card.name) ?? 0))) {
      const url = await loaded(snapshotURL(name));
      this.#due.set(name, performance.now() + (url === '' ? retryAge : posterAge));
      image.hidden = url === '';
      image.src = url;
    }
    this.#busy = false;
  }
}
