// What a WHEP server tells of a stream while it is watched, as server-sent events.

import { Failure } from './failure.js';
import { postJSON } from './signalling.js';

const kinds = ['active', 'inactive', 'layers', 'viewercount', 'reconnect'];

// StreamEvents emits what the server sends, under its names, with the data as detail. It listens only while the
// page is seen: over HTTP/1.1 browsers allow six connections to a server, and each listener holds one.
export class StreamEvents extends EventTarget {
  #stream = '';
  #source;
  #listeners = new AbortController();

  // open orders the events at the URL. It rejects with a Failure; playing does not depend on it.
  async open(url) {
    const response = await postJSON(url, kinds);
    const location = response.headers.get('Location');
    if (!location) {
      throw new Failure('negotiation', { detail: 'the order of events has no Location' });
    }
    this.#stream = new URL(location, response.url).href;
    document.addEventListener('visibilitychange', () => this.#follow(), { signal: this.#listeners.signal });
    this.#follow();
  }

  // close stops listening. The server forgets the order with the session.
  close() {
    this.#listeners.abort();
    this.#source?.close();
  }

  #follow() {
    this.#source?.close();
    if (document.hidden || this.#listeners.signal.aborted) {
      return;
    }
    this.#source = new EventSource(this.#stream);
    for (const kind of kinds) {
      this.#source.addEventListener(kind, ({ data }) => this.#tell(kind, data));
    }
  }

  #tell(kind, text) {
    let detail;
    try {
      detail = JSON.parse(text);
    } catch {
      return;
    }
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
