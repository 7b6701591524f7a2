// STUN and TURN servers as people write them down.

import { iceServers, parseLinks } from './link.js';
import { serversOf } from './servers.js';

// parseServers reads servers that were pasted: JSON as it stands in a page's RTCPeerConnection or in the answer of the
// API, Link headers, or a line each with a URL, and for TURN a user name and a password behind it. It gives servers of
// one URL each, and throws an Error with a sentence for the user.
export function parseServers(text) {
  const trimmed = text.trim();
  const servers = /^[[{]/.test(trimmed) ? fromJSON(trimmed) : trimmed.split(/\r?\n/).flatMap(fromLine);
  const single = eachURL(servers);
  if (single.length === 0) {
    throw new Error('There is no server in this. Write its URL, such as stun:stun.example.org:3478.');
  }
  single.forEach(check);
  return single;
}

// eachURL makes of servers with several URLs as many with one.
export function eachURL(servers) {
  return servers.flatMap(({ urls, ...rest }) => [urls].flat().map((url) => ({ urls: url, ...rest })));
}

function fromJSON(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (err) {
    throw new Error(`This is no JSON: ${err.message}.`, { cause: err });
  }
  const list = value.ice_servers ?? value.iceServers ?? value;
  return serversOf({ ice_servers: [list].flat().map((each) => ({ ...each, urls: each?.urls ?? each?.url })) });
}

function fromLine(line) {
  const words = line.trim();
  if (/^(link:\s*)?</i.test(words)) {
    return iceServers(parseLinks(words.replace(/^link:\s*/i, '')));
  }
  const [url, username, credential] = words.split(/\s+/);
  if (!url) {
    return [];
  }
  return [username === undefined ? { urls: url } : { urls: url, username, credential: credential ?? '' }];
}

function check({ urls, username, credential }) {
  if (!/^(stuns?|turns?):[^\s/@?]+(\?transport=(udp|tcp))?$/i.test(urls)) {
    const shown = urls.replace(/^([a-z]+:).*@/i, '$1…@');
    throw new Error(`${shown} is no URL of a STUN or TURN server: those look like turn:turn.example.org:3478?transport=udp.`);
  }
  if (/^turn/i.test(urls) && !(username && credential)) {
    throw new Error(`${urls} needs a user name and a password behind it.`);
  }
}
