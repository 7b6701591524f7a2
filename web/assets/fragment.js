// SDP fragments for trickle ICE and ICE restarts (RFC 8840; RFC 9725, 4.3).

export const fragmentType = 'application/trickle-ice-sdpfrag';

// credentials gives the first ice-ufrag and ice-pwd of a description or fragment; '' for what is absent.
export function credentials(sdp) {
  const value = (name) => new RegExp(`^a=${name}:(\\S+)\\s*$`, 'm').exec(sdp)?.[1] ?? '';
  return { ufrag: value('ice-ufrag'), pwd: value('ice-pwd') };
}

// makeFragment writes the fragment that belongs to the local description sdp. Each candidate is
// {candidate: 'candidate:…', sdpMid}; without any the fragment names the first section, as a restart wants it.
export function makeFragment(sdp, candidates, { ended = false } = {}) {
  const { ufrag, pwd } = credentials(sdp);
  const lines = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`];
  const sections = mediaSections(sdp);
  const used = sections.filter(({ mid }) => candidates.some((each) => each.sdpMid === mid));
  for (const { kind, mid } of used.length > 0 ? used : sections.slice(0, 1)) {
    lines.push(`m=${kind} 9 UDP/TLS/RTP/SAVPF 0`, `a=mid:${mid}`);
    lines.push(...candidates.filter((each) => each.sdpMid === mid).map((each) => `a=${each.candidate}`));
    if (ended) {
      lines.push('a=end-of-candidates');
    }
  }
  return `${lines.join('\r\n')}\r\n`;
}

function mediaSections(sdp) {
  return sdp.split(/^m=/m).slice(1).map((section) => ({
    kind: section.slice(0, section.indexOf(' ')),
    mid: /^a=mid:(\S+)/m.exec(section)?.[1] ?? '0',
  }));
}

// restarted gives the answer sdp with the credentials and candidates of the fragment, by which the server
// agrees to an ICE restart. It throws where the fragment has no credentials.
export function restarted(sdp, fragment) {
  const { ufrag, pwd } = credentials(fragment);
  if (!ufrag || !pwd) {
    throw new Error('the answer to the ICE restart has no credentials');
  }
  const fresh = linesOf(fragment).filter(isCandidate);
  const kept = linesOf(sdp).filter((line) => !isCandidate(line)).map((line) => {
    const name = /^a=ice-(ufrag|pwd):/.exec(line)?.[1];
    return name ? `a=ice-${name}:${name === 'ufrag' ? ufrag : pwd}` : line;
  });
  const second = kept.findIndex((line, at) => line.startsWith('m=') && kept.slice(0, at).some((l) => l.startsWith('m=')));
  kept.splice(second < 0 ? kept.length : second, 0, ...fresh);
  return `${kept.join('\r\n')}\r\n`;
}

function linesOf(text) {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

function isCandidate(line) {
  return line.startsWith('a=candidate:') || line.startsWith('a=end-of-candidates');
}
