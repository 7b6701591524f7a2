// The player: keeps one <video> element fed from a WHEP endpoint, through whatever goes wrong.
//
//   import { play } from '/assets/player.js';
//   const player = play(document.querySelector('video'), '/front-door/whep');
//   player.addEventListener('statechange', () => console.log(player.state, player.failure));

import { Backoff } from './backoff.js';
import { Blindness } from './blindness.js';
import { StreamEvents } from './events.js';
import { Failure } from './failure.js';
import { Progress } from './progress.js';
import { layersOf } from './quality.js';
import { askVerdict, postJSON } from './signalling.js';
import { summarize } from './stats.js';
import { WhepSession } from './whep.js';

const sampleEvery = 500;
const patience = 10_000;
const heldPause = 250;
const renewAfterUndecodable = 10_000;
const videolessAfter = 1_500;
const askAfter = 8_000;
const settledAfter = 1_500; // by then what was under way when the source went has been shown

// SluicePlayer plays a WHEP endpoint and comes back by itself after every failure. Its events:
//   "statechange"  state or failure is another
//   "tracks"       hasVideo or hasAudio is another
//   "stats"        twice a second while connected; detail is a summary (see stats.js)
//   "layers"       layers or layer is another
//   "viewers"      viewers is another
//   "blocked"      the browser wants a gesture of the user before it plays: call play() of the element in one
export class SluicePlayer extends EventTarget {
  // state is "idle", "connecting", "playing", "waiting" (for the camera) or "error".
  state = 'idle';
  // failure is the Failure to tell the user, or undefined while all is well.
  failure = undefined;
  // frames counts the decoded pictures of all sessions so far; packets of sound where there is no picture.
  frames = 0;
  // startedIn is the time from asking for the stream to its first picture in milliseconds, of this session.
  startedIn = undefined;
  // layers are the qualities that the server offers (see quality.js), layer the rid of the chosen one, '' for the
  // server's choice, viewers how many watch; these the server tells only with the option events.
  layers = [];
  layer = '';
  viewers = undefined;

  #video;
  #url;
  #wantsEvents;
  #relay;
  #begun;
  #session;
  #events;
  #told = '';
  #inactiveAt = 0;
  #pictured;
  #stream;
  #progress;
  #blindness;
  #summary;
  #heard = false;
  #counted = 0;
  #askedAt = 0;
  #undecodableAt = 0;
  #verdict;
  #whyAt = -askAfter;
  #sampler = 0;
  #retryTimer = 0;
  #backoff = new Backoff();
  #listeners = new AbortController();

  // With the option events the server tells of its stream, over a connection of its own: browsers have few to
  // spare, so a page with many players does without.
  // With the option relay nothing but TURN is used, for a test of it.
  // The player goes on from what the page has begun (inline/ask.js), if anything.
  constructor(video, url, { events = false, relay = false, begun } = {}) {
    super();
    this.#video = video;
    this.#url = url;
    this.#wantsEvents = events;
    this.#relay = relay;
    this.#begun = begun;
  }

  // resource is the URL of the session, '' while there is none.
  get resource() {
    return this.#session?.signalling.resource ?? '';
  }

  get hasVideo() {
    return this.#has('video');
  }

  // hasAudio tells that sound has come, which is more than that the server has a place for it.
  get hasAudio() {
    return this.#heard && this.#has('audio');
  }

  // start begins to play; once is enough.
  start() {
    if (this.state !== 'idle') {
      return;
    }
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    addEventListener('online', () => this.#hurry(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#hurry(), { signal });
    this.#connect();
  }

  // stop leaves the session; start() begins anew.
  stop() {
    this.#listeners.abort();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#leave();
    this.#video.srcObject = null;
    this.#become('idle');
  }

  // retry tries again at once rather than when the time has come.
  retry() {
    if (this.state === 'idle') {
      return;
    }
    this.#leave();
    this.#connect();
  }

  // select asks for the layer of that rid, or with '' for the server's choice. It holds for later sessions too.
  select(rid) {
    this.layer = rid;
    this.#tellLayer();
  }

  async #connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    const begun = this.#begun;
    this.#begun = undefined;
    this.#askedAt = begun?.askedAt ?? performance.now();
    this.startedIn = undefined;
    if (!this.failure) {
      this.#become('connecting');
    }
    const session = new WhepSession(this.#url, { patient: this.failure?.status === 409, relay: this.#relay, begun });
    this.#session = session;
    session.addEventListener('track', ({ detail }) => this.#take(detail));
    session.addEventListener('connected', () => this.#watch());
    session.addEventListener('ended', ({ detail }) => this.#fail(detail));
    try {
      await session.open();
      this.#order(session);
    } catch (failure) {
      if (this.#session === session) {
        this.#fail(failure);
      }
    }
  }

  async #order(session) {
    if (!this.#wantsEvents || !session.eventsURL || this.#session !== session) {
      return;
    }
    const events = new StreamEvents();
    this.#events = events;
    events.addEventListener('active', () => { this.#inactiveAt = 0; });
    events.addEventListener('inactive', () => this.#away());
    events.addEventListener('layers', ({ detail }) => this.#offerLayers(layersOf(detail)));
    events.addEventListener('viewercount', ({ detail }) => this.#count(detail?.viewercount));
    events.addEventListener('reconnect', () => this.retry());
    await events.open(session.eventsURL).catch(() => {});
  }

  #away() {
    this.#inactiveAt = performance.now();
    this.#become('waiting', new Failure('stalled'));
  }

  #count(viewers) {
    this.viewers = viewers;
    this.dispatchEvent(new CustomEvent('viewers'));
  }

  // A publisher of sound that adds a picture, or is followed by one that has it, needs a new session.
  #offerLayers(layers) {
    const pictured = layers.some(({ width }) => width > 0);
    this.#pictured ??= pictured;
    if (pictured && !this.#pictured && this.#session?.lacksVideo) {
      this.retry();
      return;
    }
    this.layers = layers;
    this.dispatchEvent(new CustomEvent('layers'));
    if (layers.some(({ rid }) => rid === this.layer)) {
      this.#tellLayer();
    }
  }

  // A layer that the server refuses leaves the choice to it.
  async #tellLayer() {
    const { layer } = this;
    const url = this.#session?.layerURL;
    if (!url || layer === this.#told) {
      return;
    }
    this.#told = layer;
    try {
      await postJSON(url, layer === '' ? {} : { rid: layer });
    } catch {
      this.layer = this.layer === layer ? '' : this.layer;
    }
    this.dispatchEvent(new CustomEvent('layers'));
  }

  #take({ track, transceiver }) {
    if (transceiver.currentDirection === 'inactive' || transceiver.stopped) {
      return;
    }
    if (!this.#stream) {
      this.#show(new MediaStream());
      this.#awaitFirstFrame(this.#session);
    }
    this.#stream.addTrack(track);
    this.#tracksChanged();
    this.#play();
  }

  #show(stream) {
    this.#stream = stream;
    this.#video.srcObject = stream;
  }

  #play() {
    this.#video.play().catch((err) => {
      if (err.name === 'NotAllowedError') {
        this.dispatchEvent(new CustomEvent('blocked'));
      }
    });
  }

  #awaitFirstFrame(session) {
    const shown = () => {
      if (this.#session === session && this.startedIn === undefined) {
        this.startedIn = performance.now() - this.#askedAt;
        this.#flows();
      }
    };
    if ('requestVideoFrameCallback' in this.#video) {
      this.#video.requestVideoFrameCallback(shown);
    } else {
      this.#video.addEventListener('loadeddata', shown, { once: true });
    }
  }

  #watch() {
    clearInterval(this.#sampler);
    this.#progress ??= new Progress(performance.now());
    this.#blindness ??= new Blindness();
    this.#sampler = setInterval(() => this.#sample(this.#session), sampleEvery);
  }

  async #sample(session) {
    const report = await session.stats().catch(() => undefined);
    if (!report || this.#session !== session) {
      return;
    }
    this.#summary = summarize(report, this.#summary);
    this.#listen(this.#summary);
    this.#dropSilentVideo(this.#summary);
    this.#judge(this.#summary);
    this.#tellTrouble(session, this.#summary);
    this.dispatchEvent(new CustomEvent('stats', { detail: this.#summary }));
  }

  // A gateway that has something else to send does so on the same connection.
  #tellTrouble(session, { video }) {
    const report = this.#blindness?.sample({ now: performance.now(), hidden: document.hidden, video });
    if (report && session.troubleURL) {
      postJSON(session.troubleURL, report).catch(() => {}); // it goes on sending what it sends
    }
  }

  #judge({ video, audio }) {
    const frames = (this.hasVideo ? video?.frames : audio?.packets) ?? 0;
    const bytes = (this.hasVideo ? video?.bytes : audio?.bytes) ?? 0;
    const fresh = Math.max(0, frames - this.#counted);
    this.#counted = frames;
    this.frames += fresh;
    const verdict = this.#progress.sample({ now: performance.now(), frames, bytes });
    if (verdict === 'flowing' && fresh > 0 && performance.now() - this.#inactiveAt > settledAfter) {
      this.#flows();
    } else if (verdict === 'stalled' || verdict === 'nopicture') {
      this.#askWhy();
      this.#become('waiting', new Failure(verdict, { verdict: this.#verdict }));
    } else if (verdict === 'undecodable') {
      this.#undecodable();
    }
  }

  // Where no picture has come for a while the gateway may know more, or see that what it sends does not arrive.
  async #askWhy() {
    const session = this.#session;
    const now = performance.now();
    if (this.startedIn !== undefined || now - this.#askedAt < askAfter || now - this.#whyAt < askAfter) {
      return;
    }
    this.#whyAt = now;
    const verdict = await askVerdict(session.signalling.resource);
    if (this.#session === session && this.state !== 'playing') {
      this.#verdict = verdict;
    }
  }

  // What was wrong before the picture came says nothing of a later stall.
  #flows() {
    this.#inactiveAt = 0;
    this.#undecodableAt = 0;
    this.#verdict = undefined;
    this.#backoff.reset();
    this.#become('playing');
  }

  #undecodable() {
    const now = performance.now();
    this.#undecodableAt ||= now;
    if (now - this.#undecodableAt > renewAfterUndecodable) {
      this.#fail(new Failure('undecodable'));
    } else {
      this.#become('error', new Failure('undecodable'));
    }
  }

  #listen({ audio }) {
    if (!this.#heard && (audio?.bytes ?? 0) > 0) {
      this.#heard = true;
      this.#tracksChanged();
    }
  }

  // A <video> waits for the first picture before it lets the sound out. Where a server promises a picture and
  // sends only sound, the element gets the sound alone, and the picture once it comes.
  #dropSilentVideo({ video, audio }) {
    const track = this.#stream?.getVideoTracks()[0];
    const late = performance.now() - this.#askedAt > videolessAfter;
    if (!track || !late || (video?.bytes ?? 0) > 0 || (audio?.bytes ?? 0) === 0) {
      return;
    }
    const sound = this.#stream.getAudioTracks();
    const session = this.#session;
    track.addEventListener('unmute', () => {
      if (this.#session === session) {
        this.#replay([track, ...sound]);
      }
    }, { once: true });
    this.#replay(sound);
  }

  // The element takes a change of its tracks for sure only with a new stream.
  #replay(tracks) {
    this.#show(new MediaStream(tracks));
    this.#play();
    this.#recount();
  }

  // What is counted has changed from pictures to sound or back.
  #recount() {
    this.#counted = 0;
    this.#progress = new Progress(performance.now());
    this.#tracksChanged();
  }

  #fail(failure) {
    this.#leave();
    if (failure.kind === 'lost') {
      this.#become('connecting', failure);
    } else {
      this.#become(failure.waiting ? 'waiting' : 'error', failure);
    }
    if (failure.kind !== 'unsupported') {
      this.#retryTimer = setTimeout(() => this.#connect(), this.#delay(failure));
    }
  }

  // A gateway that has held the request for the camera asks for no further pause.
  #delay(failure) {
    if (failure.status === 409 && !failure.retryAfter) {
      return heldPause;
    }
    return this.#backoff.next(failure.patient ? failure.retryAfter || patience : failure.retryAfter);
  }

  // The network or the viewer is back: no reason to sit out the wait, unless the server asked for a pause.
  #hurry() {
    if (this.#retryTimer && this.failure?.status !== 429) {
      this.#connect();
    }
  }

  #leave() {
    clearInterval(this.#sampler);
    this.#events?.close();
    this.#events = undefined;
    this.#session?.close();
    this.#session = undefined;
    this.#told = '';
    this.#pictured = undefined;
    this.#inactiveAt = 0;
    this.#stream = undefined;
    this.#progress = undefined;
    this.#blindness = undefined;
    this.#summary = undefined;
    this.#heard = false;
    this.#counted = 0;
    this.#undecodableAt = 0;
    this.#verdict = undefined;
    this.#whyAt = -askAfter;
  }

  #has(kind) {
    return (this.#stream?.getTracks() ?? []).some((track) => track.kind === kind);
  }

  #tracksChanged() {
    this.dispatchEvent(new CustomEvent('tracks'));
  }

  #become(state, failure) {
    if (this.state === state && same(this.failure, failure)) {
      return;
    }
    this.state = state;
    this.failure = failure;
    this.dispatchEvent(new CustomEvent('statechange'));
  }
}

// same tells that two failures have the same words.
function same(a, b) {
  const verdict = (failure) => [failure?.verdict?.reason, failure?.verdict?.detail].join(' ');
  return a?.message === b?.message && a?.kind === b?.kind && verdict(a) === verdict(b);
}

// play makes a player and starts it.
export function play(video, url, options) {
  const player = new SluicePlayer(video, url, options);
  player.start();
  return player;
}
