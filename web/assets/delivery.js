// Why the gateway sends what it sends, as its API says of a session.

const requestTimeout = 5_000;

// Delivery keeps what is known of the session at hand.
export class Delivery {
  // sections are {codec, transcoded, reason} of each section that gets anything.
  sections = [];

  #resource = '';
  #askedAt = 0;

  // keep asks for a session whose URL is new, and again after so many milliseconds.
  async keep(resource, every, now = performance.now()) {
    const fresh = resource !== this.#resource;
    if (fresh) {
      this.sections = [];
      this.#resource = resource;
    }
    if (resource === '' || (!fresh && now - this.#askedAt < every)) {
      return;
    }
    this.#askedAt = now;
    const sections = await ask(resource);
    if (resource === this.#resource) {
      this.sections = sections;
    }
  }
}

async function ask(resource) {
  const id = new URL(resource).pathname.split('/').pop();
  try {
    const response = await fetch(`/api/v1/sessions/${id}`, { signal: AbortSignal.timeout(requestTimeout) });
    const { delivery } = response.ok ? await response.json() : {};
    return (delivery ?? []).filter(({ codec, reason }) => codec && reason);
  } catch {
    return []; // the page says less
  }
}
