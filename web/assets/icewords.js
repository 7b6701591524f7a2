// The words for what STUN and TURN servers did.

import { transportOf } from './gathering.js';

const kinds = { host: 'Own address', srflx: 'Public address (STUN)', prflx: 'Address seen by a peer', relay: 'Relay (TURN)' };
const transports = { udp: 'UDP', tcp: 'TCP', tls: 'TLS over TCP' };

// Errors of STUN and TURN (RFC 8489 14.8, RFC 8656 19), and 701, by which browsers say that they got no answer.
const errorSayings = {
  300: 'it sends us to another server',
  400: 'it did not understand the request',
  401: 'it refused the user name or the password; they may have expired',
  403: 'it forbids it',
  420: 'it does not know what the browser asks for',
  437: 'the relay was there already',
  438: 'its nonce was stale',
  440: 'it has no relay for this kind of address',
  441: 'another user holds the relay',
  442: 'it does not relay over this transport',
  443: 'the address to reach is of another kind than the relay',
  486: 'this user has as many relays as he may',
  500: 'it has a problem of its own',
  508: 'it has no room for another relay',
  701: 'it could not be reached',
};

export function kindWords(kind) {
  return kinds[kind] ?? kind;
}

export function transportWords(transport) {
  return transports[transport] ?? String(transport ?? '').toUpperCase();
}

// errorWords says an error that a browser reports, with its code and what the server said.
export function errorWords({ code, text }) {
  if (code === 0) {
    return `the browser will not use it (${text})`;
  }
  const saying = errorSayings[code] ?? 'it answered with an error';
  const said = text.trim().replace(/\.$/, '');
  return `${saying} (${said ? `${code}: ${said}` : code})`;
}

// verdictOf says in one sentence whether a server works, and over what: {state, words}. The state is "testing",
// "works" or "fails". gathering is what gather() tells.
export function verdictOf({ url, candidates, errors, ended, silent }) {
  const turn = /^turn/i.test(url);
  const over = transportWords(transportOf(url));
  const best = candidates.find(({ kind }) => kind === (turn ? 'relay' : 'srflx'));
  if (best) {
    return { state: 'works', words: worksWords(turn, best) };
  }
  if (!ended) {
    return { state: 'testing', words: `Trying ${turn ? 'TURN' : 'STUN'} over ${over} …` };
  }
  if (!turn && !silent && errors.length === 0) { // browsers leave out an address that they know already
    return { state: 'works', words: `STUN answers over ${over}, with this device's own address: no NAT lies between.` };
  }
  return { state: 'fails', words: `${failWords(turn, over, candidates)}: ${reasonWords(errors, silent)}.` };
}

function worksWords(turn, { protocol, address, after }) {
  const over = transportWords(protocol);
  return turn
    ? `TURN works over ${over}: it relays by ${address}, after ${after} ms.`
    : `STUN works over ${over}: it sees this device as ${address}, after ${after} ms.`;
}

function failWords(turn, over, candidates) {
  if (!turn) {
    return `STUN does not work over ${over}`;
  }
  return candidates.length > 0 ? `TURN answers over ${over}, but gave no relay` : `TURN does not work over ${over}`;
}

// An error of the server says more than those of the way to it.
function reasonWords(errors, silent) {
  const worst = errors.find(({ code }) => code !== 701) ?? errors[0];
  if (worst) {
    return errorWords(worst);
  }
  return silent ? 'it does not answer' : 'the browser does not say why';
}

// reportText is the whole test as text to send to somebody. It has the servers' URLs and no user names or passwords.
export function reportText(gatherings, { page, browser, date }) {
  const tested = gatherings.filter(({ url }) => url !== '');
  const rows = gatherings.flatMap(({ candidates }) => candidates);
  return [
    `ICE test of ${page}`, `${date} · ${browser}`, '', 'Servers',
    ...(tested.length > 0 ? tested.map((each) => `  ${each.url}: ${verdictOf(each).words}`) : ['  none']),
    '', 'Candidates',
    ...(rows.length > 0 ? rows.map((row) => `  ${rowWords(row).filter(Boolean).join(' · ')}`) : ['  none']), '',
  ].join('\n');
}

// rowWords are the cells of a candidate: kind, transport, address, related address, server, time.
export function rowWords({ kind, protocol, address, related, url, after }) {
  return [kindWords(kind), transportWords(protocol), address, related, url, `${after} ms`];
}
