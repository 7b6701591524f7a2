// What one STUN or TURN server does for this browser: the candidates that it gives, and the errors on the way.

const gatherFor = 12_000; // browsers give a silent server up after some ten seconds

// gather tries a server (of one URL), or without one finds this device's own addresses. It calls tell with the
// Gathering each time that it has changed, and resolves when it has ended.
export function gather(server, tell) {
  const pc = new RTCPeerConnection({ iceServers: server ? [server] : [] });
  const began = performance.now();
  const gathering = {
    url: server?.urls ?? '', candidates: [], errors: [], ended: false, tellsErrors: 'onicecandidateerror' in RTCPeerConnection.prototype,
  };
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      pc.close();
      if (!gathering.ended) {
        gathering.ended = true;
        tell(gathering);
        resolve(gathering);
      }
    };
    const timer = setTimeout(end, gatherFor);
    pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) {
        take(gathering, candidate, performance.now() - began);
        tell(gathering);
      } else if (candidate === null) {
        end();
      }
    });
    pc.addEventListener('icecandidateerror', ({ errorCode, errorText }) => {
      gathering.errors.push({ code: errorCode, text: errorText ?? '' });
      tell(gathering);
    });
    pc.createDataChannel('');
    pc.setLocalDescription().catch(end);
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
  if (!address) {
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
