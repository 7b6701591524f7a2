// What one STUN or TURN server does for this browser: the candidates that it gives, and the errors on the way.

const gatherFor = 12_000; // browsers give a silent server up after some ten seconds

// gather tries a server (of one URL), or without one finds this device's own addresses. It calls tell with the
// Gathering each time that it has changed, and resolves when it has ended: by itself, or (silent) since the server has
// not answered in time. Chromium waits for a silent STUN server without end, and tells no error.
export function gather(server, tell, connect = (configuration) => new RTCPeerConnection(configuration)) {
  const gathering = { url: server?.urls ?? '', candidates: [], errors: [], ended: false, silent: false };
  let pc;
  try {
    pc = connect({ iceServers: server ? [server] : [] });
  } catch (err) {
    gathering.errors.push({ code: 0, text: err.message });
    gathering.ended = true;
    tell(gathering);
    return Promise.resolve(gathering);
  }
  return new Promise((resolve) => {
    follow(pc, gathering, tell, resolve);
    pc.createDataChannel('');
    pc.setLocalDescription().catch(() => {}); // then there are no candidates
  });
}

function follow(pc, gathering, tell, resolve) {
  const began = performance.now();
  const end = (silent) => {
    if (!gathering.ended) {
      clearTimeout(timer);
      pc.close();
      Object.assign(gathering, { ended: true, silent });
      tell(gathering);
      resolve(gathering);
    }
  };
  const timer = setTimeout(() => end(true), gatherFor);
  pc.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate?.candidate) {
      take(gathering, candidate, performance.now() - began);
      tell(gathering);
    } else if (candidate === null) {
      end(false);
    }
  });
  pc.addEventListener('icecandidateerror', ({ errorCode, errorText }) => {
    gathering.errors.push({ code: errorCode, text: errorText ?? '' });
    tell(gathering);
  });
}

// take keeps a candidate that the server gave; without a server, those of this device.
function take({ url, candidates }, candidate, after) {
  const found = candidateOf(candidate, url, after);
  const own = found.kind === 'host';
  const known = candidates.some((each) => each.kind === found.kind && each.address === found.address && each.protocol === found.protocol);
  if (own === (url === '') && !known) {
    candidates.push(found);
  }
}

// candidateOf is what the page tells of an RTCIceCandidate that came after so many milliseconds by the server at url.
export function candidateOf({ type, protocol, address, port, relatedAddress, relatedPort, relayProtocol }, url, after) {
  return {
    kind: type, protocol: type === 'relay' ? relayProtocol || transportOf(url) : protocol,
    address: endpoint(address, port), related: endpoint(relatedAddress, relatedPort), url, after: Math.round(after),
  };
}

function endpoint(address, port) {
  if (!address || address === '0.0.0.0' || address === '::') { // hidden
    return '';
  }
  return `${address.includes(':') ? `[${address}]` : address}:${port ?? 0}`;
}

// transportOf is how a server is spoken to: "udp", "tcp" or "tls" (RFC 7064, RFC 7065).
export function transportOf(url) {
  if (/^(stun|turn)s:/i.test(url)) {
    return 'tls';
  }
  return /[?&]transport=tcp/i.test(url) ? 'tcp' : 'udp';
}
