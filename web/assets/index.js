// The list of streams, kept up to date while somebody looks.

import { httpFailure } from './failure.js';
import { Posters } from './poster.js';
import { hideToken, showSignIn, signInOffer } from './signin.js';
import { madeWords, sourceKind, stateWord, totalWords, trackWords, troubleWords, viewerWords } from './words.js';

const refreshEvery = 2_000;
const requestTimeout = 8_000;
const root = document.documentElement;
const at = (id) => document.getElementById(id);
const refusals = {
  401: 'Sign in to see the streams.',
  403: 'Your account may not see the list of streams. You can still open those that you may watch by their address.',
};
const cards = new Map();
const posters = new Posters();
let timer = 0;
let busy = false;

async function refresh() {
  clearTimeout(timer);
  if (busy) {
    return;
  }
  busy = true;
  try {
    show(await load());
  } catch (err) {
    complain(err);
  } finally {
    busy = false;
  }
  if (!document.hidden) {
    timer = setTimeout(refresh, refreshEvery);
  }
}

async function load() {
  const abort = new AbortController();
  const timeout = setTimeout(() => abort.abort(), requestTimeout);
  try {
    const response = await fetch('/api/v1/streams', { headers: { Accept: 'application/json' }, signal: abort.signal });
    if (!response.ok) {
      throw httpFailure(response.status, response.headers.get('Content-Type'), await response.text());
    }
    const body = await response.json().catch(() => ({}));
    return Array.isArray(body) ? body : (body.streams ?? []);
  } finally {
    clearTimeout(timeout);
  }
}

function show(streams) {
  root.dataset.state = streams.length === 0 ? 'empty' : 'ready';
  at('notice').hidden = true;
  at('empty').hidden = streams.length > 0;
  setText(at('totals'), totalWords(streams));
  const names = new Set(streams.map((stream) => stream.name));
  for (const [name, card] of cards) {
    if (!names.has(name)) {
      card.item.remove();
      cards.delete(name);
    }
  }
  streams.forEach((stream, place) => fill(cardAt(stream.name, place), stream));
  posters.refresh(streams.filter(({ name, snapshot }) => snapshot && seen(cards.get(name).item)).map(({ name }) => ({ name, image: cards.get(name).poster })));
}

function seen(item) {
  const { top, bottom } = item.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

// cardAt finds or makes the card of a stream and puts it where it belongs; one that is there stays untouched,
// so that focus and selection last.
function cardAt(name, place) {
  const card = cards.get(name) ?? makeCard(name);
  cards.set(name, card);
  const list = at('streams');
  if (list.children[place] !== card.item) {
    list.insertBefore(card.item, list.children[place] ?? null);
  }
  return card;
}

function makeCard(name) {
  const item = element('li', 'card');
  const link = element('a', 'card-link');
  link.href = `/${encodeURIComponent(name)}/`;
  const head = element('span', 'card-head');
  const card = {
    item,
    state: element('span', 'state'),
    kind: element('span', 'card-kind'),
    poster: element('img', 'card-poster'),
    tracks: element('span', 'card-tracks'),
    made: element('span', 'card-made'),
    trouble: element('span', 'card-trouble'),
    viewers: element('span', 'card-viewers'),
    publish: element('a', 'card-publish'),
  };
  const title = element('span', 'card-name');
  title.textContent = name;
  head.append(title, card.state);
  const foot = element('span', 'card-foot');
  foot.append(card.kind, card.viewers);
  card.poster.hidden = true;
  card.poster.alt = '';
  link.append(card.poster, head, card.tracks, card.made, card.trouble, foot);
  card.publish.href = `${link.getAttribute('href')}publish`;
  card.publish.textContent = 'Publish';
  card.publish.setAttribute('aria-label', `Publish ${name}`);
  item.append(link, card.publish);
  return card;
}

function fill(card, stream) {
  card.item.dataset.state = stream.state;
  setText(card.state, stateWord(stream.state));
  setText(card.kind, sourceKind(stream.source));
  card.kind.title = stream.source ?? '';
  setText(card.tracks, trackWords(stream.tracks) || idleWords(stream));
  setText(card.made, madeWords(stream.transcodes));
  setText(card.trouble, troubleWords(stream));
  card.poster.hidden ||= !stream.snapshot;
  setText(card.viewers, viewerWords(stream.viewers));
  card.publish.hidden = stream.publish !== true;
}

function idleWords(stream) {
  if (stream.publish && stream.state === 'idle') {
    return 'Nobody publishes';
  }
  return stream.state === 'idle' ? 'Connects when somebody watches' : 'No tracks known yet';
}

function complain(err) {
  const offer = signInOffer(err, location);
  root.dataset.state = offer ? 'refused' : 'error';
  showSignIn(at('signin'), offer);
  setText(at('notice-words'), offer ? refusals[err.status] : `${sentenceOf(err)} Trying again.`);
  at('notice').hidden = false;
}

function sentenceOf(err) {
  if (err instanceof TypeError || err.name === 'AbortError') {
    return 'The gateway cannot be reached.';
  }
  return err.detail || `The gateway answered with status ${err.status}.`;
}

// A gateway that is gone takes no cookie back, but nobody is let in by it either until it returns.
async function signOut() {
  at('signout').disabled = true;
  const done = await fetch('/logout', { method: 'POST' }).then(({ ok }) => ok, () => false);
  at('signout').disabled = false;
  if (done) {
    location.assign('/login');
  } else {
    setText(at('notice-words'), 'You are still signed in: the gateway cannot be reached.');
    at('notice').hidden = false;
  }
}

function element(tag, className) {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

document.addEventListener('visibilitychange', () => document.hidden || refresh());
at('signout')?.addEventListener('click', signOut);
hideToken(location, history);
refresh();
