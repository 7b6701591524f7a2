// The page that publishes: its form, its preview, and what it says of the Publisher.

import { stayAwake } from './awake.js';
import { allowed, capture, deviceChoices, none, obstacle, release, screenSound } from './capture.js';
import { Failure } from './failure.js';
import { sendable } from './layers.js';
import { Level } from './level.js';
import { meterCells, meterSums } from './meter.js';
import { Publisher } from './publisher.js';
import { hideToken, showSignIn, signInOffer } from './signin.js';
import { describeTrouble } from './trouble.js';
import { codecTitle } from './words.js';

const { dataset } = document.documentElement;
const at = (id) => document.getElementById(id);
const publisher = new Publisher(dataset.endpoint);
const level = new Level(showLevel);
const fixedFields = ['source', 'height', 'codec', 'simulcast'];
const states = { idle: 'Not publishing', connecting: 'Connecting', live: 'Live', failed: 'Not publishing' };
const curtains = {
  camera: ['The picture of your camera will be here.', 'Show preview'],
  screen: ['The browser will ask what to share.', 'Choose what to share'],
  microphone: ['Sound only.', 'Try the microphone'],
};

let media; // what is captured now
let opening; // while the browser is asked for it: a promise of whether it gave it
let starting = false; // Start was pressed, and the browser is being asked
let trouble; // a Failure to capture
let visit = 0; // counts how often the page has gone away, with what was asked for then

function choice() {
  return {
    source: at('source').value, camera: at('camera').value, microphone: at('microphone').value, height: Number(at('height').value),
  };
}

// open captures what the form says, and resolves to whether that was given. Whoever comes while the browser is being
// asked gets the same answer: a second stream would end the first, which may be on its way already.
function open() {
  opening ??= openOnce();
  show();
  return opening;
}

async function openOnce() {
  trouble = undefined;
  const given = await ask();
  opening = undefined;
  show();
  return given;
}

async function ask() {
  const mine = visit;
  try {
    const stream = await capture(choice());
    if (mine !== visit) {
      release(stream);
      return false;
    }
    take(stream);
    await listDevices();
    return true;
  } catch (failure) {
    trouble = failure;
    return false;
  }
}

function take(stream) {
  release(media);
  media = stream;
  for (const track of stream?.getTracks() ?? []) {
    track.addEventListener('ended', () => media === stream && lose());
  }
  at('preview').srcObject = stream?.getVideoTracks().length ? stream : null;
  level.watch(stream);
}

// lose is what happens when a device is unplugged, or a screen is no longer shared.
function lose() {
  publisher.stop();
  take(undefined);
  trouble = new Failure('ended');
  show();
}

async function start() {
  starting = true;
  show();
  const given = await (media && !opening ? true : open());
  starting = false;
  if (given && media) {
    publisher.start(media, { simulcast: at('simulcast').checked, codec: at('codec').value });
  }
  show();
}

function stop() {
  publisher.stop();
  if (at('source').value === 'screen') {
    take(undefined);
  }
  show();
}

// leave ends all when the page goes away: it may come back out of the browser's memory much later.
function leave() {
  visit += 1;
  publisher.stop();
  take(undefined);
  show();
}

// changed follows the form: a preview shows the new device, and a stream that is on its way goes on with it. A
// screen is not asked for before the user says so.
async function changed({ target }) {
  if (target.id === 'source') {
    await listDevices();
  }
  show();
  if (!['source', 'camera', 'microphone', 'height'].includes(target.id)) {
    return;
  }
  const source = at('source').value;
  if (!busy() && (source === 'screen' || !(media || await mayPreview()))) {
    take(undefined);
    show();
    return;
  }
  release(media); // phones open one camera at a time
  if (!await open()) {
    publisher.stop();
    take(undefined);
    show();
  } else if (busy()) {
    await publisher.replace(media);
  }
}

// mayPreview tells whether the browser gives the source without asking; a screen it never does.
async function mayPreview() {
  const { source, microphone } = choice();
  const wanted = [source === 'camera' && 'camera', (source === 'microphone' || microphone !== none) && 'microphone'];
  const answers = await Promise.all(wanted.filter(Boolean).map(allowed));
  return source !== 'screen' && answers.every(Boolean);
}

const busy = () => publisher.state === 'connecting' || publisher.state === 'live';

async function listDevices() {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const cameras = deviceChoices(devices, 'videoinput');
  const microphones = deviceChoices(devices, 'audioinput');
  offer(at('camera'), cameras.length > 0 ? cameras : [['', 'No camera found']]);
  const source = at('source').value;
  offer(at('microphone'), [
    ...(source === 'screen' ? [[screenSound, 'Sound of what is shared']] : []),
    ...microphones,
    ...(source === 'microphone' ? [] : [[none, 'No sound']]),
  ]);
}

// offer fills a list and keeps what is chosen in it, as far as that is there still.
function offer(select, choices) {
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value, label]) => new Option(label, value)));
  if (choices.some(([value]) => value === chosen) && chosen !== '') {
    select.value = chosen;
  }
}

// stateNow tells of the Publisher, and of the devices before and after it has them.
function stateNow() {
  if (busy()) {
    return publisher.state;
  }
  if (starting) {
    return 'connecting';
  }
  return trouble ? 'failed' : publisher.state;
}

function show() {
  const state = stateNow();
  at('status').dataset.state = state;
  setText(at('status'), states[state]);
  showTrouble(trouble ?? publisher.failure, state);
  showFields();
  showCurtain();
  at('start').hidden = busy();
  at('start').disabled = starting;
  at('stop').hidden = !busy();
  stayAwake(state === 'live');
  if (state !== 'live') {
    showMeter(undefined);
  }
}

function showTrouble(failure, state) {
  const { title, text } = failure ? describeTrouble(failure) : { title: '', text: '' };
  at('trouble').hidden = !failure;
  at('trouble').dataset.state = state;
  setText(at('trouble-title'), title);
  setText(at('trouble-text'), text);
  showSignIn(at('signin'), signInOffer(failure, location));
}

function showFields() {
  const source = at('source').value;
  fixedFields.forEach((id) => { at(id).disabled = busy() || Boolean(opening); });
  at('camera').disabled = Boolean(opening);
  at('camera-field').hidden = source !== 'camera';
  at('picture-fields').hidden = source === 'microphone';
  at('microphone').disabled = Boolean(opening) || (source === 'screen' && busy());
}

function showCurtain() {
  const source = at('source').value;
  const [words, action] = curtains[source];
  const hasVideo = Boolean(media?.getVideoTracks().length);
  at('preview').classList.toggle('mirrored', source === 'camera');
  at('curtain').hidden = hasVideo;
  setText(at('curtain-words'), words);
  setText(at('open'), action);
  at('open').hidden = Boolean(media ?? opening ?? obstacle());
}

function showLevel(length) {
  at('level').style.setProperty('--level', String(length));
  at('level').setAttribute('aria-valuenow', String(Math.round(length * 100)));
}

function showMeter(sent) {
  const rows = sent?.rows ?? [];
  at('meter').hidden = rows.length === 0;
  at('sums').hidden = rows.length === 0;
  at('nothing').hidden = rows.length > 0;
  at('meter-rows').replaceChildren(...rows.map(meterRow));
  at('sums').replaceChildren(...(sent ? meterSums(sent) : []).map(([label, value]) => {
    const pair = document.createElement('div');
    pair.append(element('dt', label), element('dd', value));
    return pair;
  }));
}

function meterRow(row) {
  const tr = document.createElement('tr');
  tr.dataset.rid = row.rid;
  tr.dataset.frames = String(row.frames);
  tr.dataset.kbps = row.kbps === undefined ? '' : String(Math.round(row.kbps));
  const [name, ...cells] = meterCells(row);
  const head = element('th', name);
  head.scope = 'row';
  tr.append(head, ...cells.map((text) => element('td', text)));
  return tr;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

async function copy() {
  at('viewer').select();
  const done = await navigator.clipboard?.writeText(at('viewer').value).then(() => true, () => false);
  setText(at('copy'), done || document.execCommand('copy') ? 'Copied' : 'Copy');
  setTimeout(() => setText(at('copy'), 'Copy'), 2_000);
}

async function prepare() {
  at('viewer').value = new URL(dataset.viewer, location.href).href;
  trouble = obstacle();
  if (trouble) {
    show();
    document.querySelectorAll('#form select, #form input, #start').forEach((field) => { field.disabled = true; });
    return;
  }
  const codecs = sendable(RTCRtpSender.getCapabilities?.('video'));
  at('codec').append(...codecs.map((codec) => new Option(codecTitle(codec), codec)));
  if (!navigator.mediaDevices.getDisplayMedia) {
    at('source').querySelector('[value="screen"]').remove();
  }
  navigator.mediaDevices.addEventListener('devicechange', listDevices);
  await listDevices();
  show();
  if (await mayPreview() && !media) {
    open();
  }
}

publisher.addEventListener('statechange', show);
publisher.addEventListener('stats', ({ detail }) => publisher.state === 'live' && showMeter(detail));
at('form').addEventListener('change', changed);
at('form').addEventListener('submit', (event) => event.preventDefault());
at('open').addEventListener('click', open);
at('start').addEventListener('click', start);
at('stop').addEventListener('click', stop);
at('copy').addEventListener('click', copy);
addEventListener('pagehide', leave);

hideToken(location, history);
prepare();
