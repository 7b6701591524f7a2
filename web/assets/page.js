// The page of one stream: the player, and what stands around it.

import { Cause } from './cause.js';
import { Delivery } from './delivery.js';
import { describe } from './failure.js';
import { SluicePlayer } from './player.js';
import { posterOf } from './poster.js';
import { qualities } from './quality.js';
import { hideToken, showSignIn, signInOffer } from './signin.js';
import { headline, rows } from './stats.js';
import { viewerWords } from './words.js';

const calmAfter = 3_000;
const posterAfter = 600; // by then a stream that is ready has shown its first picture
const explainEvery = 5_000;
const root = document.documentElement;
const at = (id) => document.getElementById(id);
const video = at('video');
const relay = new URLSearchParams(location.search).has('relay');
const player = new SluicePlayer(video, root.dataset.endpoint, { events: true, relay, begun: globalThis.sluiceBegun });
const delivery = new Delivery();
const cause = new Cause(root.dataset.stream);

// Failures at which another attempt would not help, or is under way.
const unhurried = new Set(['unsupported', 'stalled', 'nopicture', 'lost']);
// Failures that the API may know the cause of.
const caused = new Set(['stalled', 'nopicture', 'undecodable', 409, 422]);
const badges = { idle: 'Stopped', connecting: 'Connecting', playing: 'Live', waiting: 'Waiting', error: 'Not playing' };

player.addEventListener('statechange', showState);
player.addEventListener('tracks', showTracks);
player.addEventListener('stats', ({ detail }) => showStats(detail));
player.addEventListener('layers', showQualities);
player.addEventListener('viewers', showViewers);
player.addEventListener('blocked', () => showBlocked(true));
video.addEventListener('playing', () => showBlocked(false));
video.addEventListener('volumechange', showSound);

function showState() {
  root.dataset.state = player.state;
  root.dataset.failure = player.failure ? (player.failure.status || player.failure.kind) : '';
  at('badge').textContent = badges[player.state];
  if (player.state !== 'playing') {
    at('summary').textContent = '';
  }
  explain(player.failure);
  showSound();
  showViewers();
}

// The cause is asked for first, where the failure may have one behind it: words that change are read out twice.
function explain(failure) {
  cause.leave();
  if (failure && caused.has(failure.status || failure.kind)) {
    cause.follow((known) => showBanner(failure, known));
  } else {
    showBanner(failure);
  }
}

function showBanner(failure, known) {
  const { title, text } = failure ? describe(failure, known) : { title: '', text: '' };
  at('banner').hidden = !failure;
  at('banner-title').textContent = title;
  at('banner-text').textContent = text;
  const offer = signInOffer(failure, location);
  showSignIn(at('signin'), offer);
  at('retry').hidden = unhurried.has(failure?.kind) || Boolean(offer);
}

function showTracks() {
  root.dataset.tracks = [player.hasVideo && 'video', player.hasAudio && 'audio'].filter(Boolean).join(' ');
  at('poster').hidden = player.hasVideo || !player.hasAudio;
  showSound();
}

function showBlocked(blocked) {
  root.toggleAttribute('data-blocked', blocked);
  showSound();
}

function showSound() {
  const blocked = root.hasAttribute('data-blocked');
  const silent = player.state === 'playing' && player.hasAudio && video.muted;
  at('unmute').hidden = !blocked && !silent;
  at('unmute-words').textContent = blocked ? 'Tap to play' : 'Tap for sound';
  at('sound').hidden = !player.hasAudio;
  at('sound').setAttribute('aria-pressed', String(!video.muted));
}

function showQualities() {
  const choices = qualities(player.layers, player.layer);
  const select = at('quality');
  select.hidden = choices.length === 0;
  const same = choices.length === select.options.length && choices.every(([value], i) => select.options[i].value === value);
  if (!same) { // an open list stays open while nothing but words change
    select.replaceChildren(...choices.map(([value]) => new Option('', value)));
  }
  choices.forEach(([, label], i) => { select.options[i].label = label; });
  select.value = choices.some(([value]) => value === player.layer) ? player.layer : '';
}

function showViewers() {
  at('viewers').hidden = !player.viewers || player.state === 'error'; // when refused it is not told any more
  at('viewers').textContent = viewerWords(player.viewers);
}

function showStats(summary) {
  root.dataset.frames = String(player.frames);
  root.dataset.startedIn = player.startedIn === undefined ? '' : String(Math.round(player.startedIn));
  delivery.keep(player.resource, at('stats').hidden ? Infinity : explainEvery);
  at('summary').textContent = player.state === 'playing' ? headline(summary, delivery.sections) : '';
  if (!at('stats').hidden) {
    at('stats-rows').replaceChildren(...rows(summary, player.startedIn, delivery.sections).flatMap(row));
  }
}

// A stream that is not ready shows the newest picture that there is until it is.
async function showPoster() {
  if (player.startedIn === undefined) {
    const url = await posterOf(root.dataset.stream);
    video.poster = player.startedIn === undefined ? url : '';
  }
}

function row([label, value]) {
  const dt = document.createElement('dt');
  const dd = document.createElement('dd');
  dt.textContent = label;
  dd.textContent = value;
  return [dt, dd];
}

function toggleSound() {
  if (!player.hasAudio) {
    return;
  }
  video.muted = !video.muted;
  video.play().catch(() => {});
}

function unmute() {
  if (root.hasAttribute('data-blocked')) {
    video.play().catch(() => {});
  } else {
    toggleSound();
  }
  at('sound').focus({ preventScroll: true });
}

function toggleStats() {
  at('stats').hidden = !at('stats').hidden;
  at('info').setAttribute('aria-pressed', String(!at('stats').hidden));
}

// iPhones have no full screen but that of the video element.
function toggleFull() {
  if (document.fullscreenElement) {
    document.exitFullscreen();
  } else if (at('stage').requestFullscreen) {
    at('stage').requestFullscreen().catch(() => {});
  } else {
    video.webkitEnterFullscreen?.();
  }
}

const keys = { m: toggleSound, i: toggleStats, f: toggleFull };

addEventListener('keydown', (event) => {
  const action = keys[event.key.toLowerCase()];
  if (action && event.target !== at('quality') && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat) {
    action();
  }
});
at('unmute').addEventListener('click', unmute);
at('sound').addEventListener('click', toggleSound);
at('info').addEventListener('click', toggleStats);
at('full').addEventListener('click', toggleFull);
at('retry').addEventListener('click', () => player.retry());
at('quality').addEventListener('change', ({ target }) => player.select(target.value));
video.addEventListener('dblclick', toggleFull);
document.addEventListener('fullscreenchange', () => {
  at('full').setAttribute('aria-pressed', String(Boolean(document.fullscreenElement)));
});

let calm = 0;
function stir() {
  root.toggleAttribute('data-calm', false);
  clearTimeout(calm);
  calm = setTimeout(() => root.toggleAttribute('data-calm', true), calmAfter);
}
for (const type of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
  addEventListener(type, stir, { passive: true });
}

// A page in the back-forward cache holds no session, and plays again when it returns.
addEventListener('pagehide', () => player.stop());
addEventListener('pageshow', () => player.start());

hideToken(location, history);
stir();
player.start();
setTimeout(showPoster, posterAfter);
