// The page that tries STUN and TURN servers from this browser.

import { describe, Failure } from './failure.js';
import { gather } from './gathering.js';
import { reportText, rowWords, verdictOf } from './icewords.js';
import { eachURL, parseServers } from './serverlist.js';
import { askServers } from './servers.js';
import { showSignIn, signInOffer } from './signin.js';

const at = (id) => document.getElementById(id);
const titles = { 401: 'Sign in to test the gateway’s servers', 403: 'You may not test the gateway’s servers' };
const words = { testing: 'Testing', works: 'Works', fails: 'Fails' };
let gatherings = []; // those of the present round
let round = 0;

async function testOwn() {
  const mine = begin();
  try {
    const servers = eachURL(await askServers(location.href));
    if (mine === round) {
      await test(servers, 'This gateway names no ICE servers: viewers connect to it directly.');
    }
  } catch (failure) {
    if (mine === round) {
      complain(wordsFor(failure));
      showSignIn(at('signin'), signInOffer(failure, location));
      busy(false);
    }
  }
}

async function testPasted() {
  begin();
  try {
    await test(parseServers(at('pasted').value), '');
  } catch (err) {
    complain({ title: 'These servers cannot be tested', text: err.message });
    busy(false);
  }
}

// begin forgets the round before, which may be under way still.
function begin() {
  round += 1;
  gatherings = [];
  at('notice').hidden = true;
  showSignIn(at('signin'), undefined);
  busy(true);
  show();
  return round;
}

// test tries each server over a connection of its own, so that it is plain what came by which.
async function test(servers, none) {
  if (typeof RTCPeerConnection === 'undefined') {
    throw new Failure('unsupported');
  }
  const mine = round;
  at('none').textContent = servers.length === 0 ? none : '';
  at('none').hidden = servers.length > 0;
  await Promise.all([undefined, ...servers].map((server, place) => gather(server, (gathering) => {
    if (mine === round) {
      gatherings[place] = gathering;
      show();
    }
  })));
  if (mine === round) {
    busy(false);
  }
}

function busy(now) {
  const done = gatherings.length > 0;
  at('state').dataset.state = now ? 'connecting' : 'idle';
  at('state').textContent = stateWords(now, done);
  at('copy').disabled = now || !done;
}

function wordsFor(failure) {
  if (!(failure instanceof Failure)) {
    return { title: 'The test failed', text: failure.message };
  }
  const { title, text } = describe(failure);
  return { title: titles[failure.status] ?? title, text };
}

function stateWords(now, done) {
  if (now) {
    return 'Testing';
  }
  return done ? 'Done' : 'Not tested';
}

function complain({ title, text }) {
  at('notice').hidden = false;
  at('notice-title').textContent = title;
  at('notice-text').textContent = text;
}

function show() {
  const known = gatherings.filter(Boolean);
  at('servers').replaceChildren(...known.filter(({ url }) => url !== '').map(serverItem));
  const rows = known.flatMap(({ candidates }) => candidates);
  at('candidates').hidden = rows.length === 0;
  at('rows').replaceChildren(...rows.map(candidateRow));
}

function serverItem(gathering) {
  const verdict = verdictOf(gathering);
  const item = element('li', '', 'server');
  item.dataset.state = verdict.state;
  const head = element('p', '', 'server-head');
  head.append(element('code', gathering.url), element('span', words[verdict.state], 'state'));
  item.append(head, element('p', verdict.words, 'server-words'));
  return item;
}

function candidateRow(candidate) {
  const row = element('tr');
  row.dataset.kind = candidate.kind;
  const heads = [...at('candidates').querySelectorAll('th')];
  row.append(...rowWords(candidate).map((text, place) => {
    const cell = element('td', text);
    cell.dataset.label = heads[place].textContent;
    return cell;
  }));
  return row;
}

function element(tag, text = '', className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

async function copy() {
  const text = reportText(gatherings.filter(Boolean), { page: location.origin, browser: navigator.userAgent, date: new Date().toISOString() });
  at('report').value = text;
  at('report').hidden = false;
  at('report').select();
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  at('copy').textContent = done || document.execCommand('copy') ? 'Copied' : 'Copy it from below';
  setTimeout(() => { at('copy').textContent = 'Copy as text'; }, 2_000);
}

at('own').addEventListener('click', testOwn);
at('form').addEventListener('submit', (event) => {
  event.preventDefault();
  testPasted();
});
at('copy').addEventListener('click', copy);
testOwn();
