// Link header fields (RFC 8288), as WHIP and WHEP servers use them.

// parseLinks reads the value of a Link field into a list of {target, rel, …attributes}, in its order. What it
// can't read it leaves out; a comma or semicolon within <> or "" separates nothing.
export function parseLinks(header) {
  return split(header ?? '', ',').map(parseLink).filter(Boolean);
}

function parseLink(text) {
  const [target, ...parameters] = split(text, ';');
  const match = /^<([^<>]*)>$/.exec(target);
  if (!match) {
    return undefined;
  }
  const link = { target: match[1] };
  for (const parameter of parameters) {
    const at = parameter.indexOf('=');
    if (at > 0) {
      const name = parameter.slice(0, at).trim().toLowerCase();
      link[name] ??= unquote(parameter.slice(at + 1).trim());
    }
  }
  return link;
}

function unquote(text) {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}

function split(text, separator) {
  const parts = [''];
  let within = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === separator && within === '') {
      parts.push('');
      continue;
    }
    parts[parts.length - 1] += char;
    if (within === '"' && char === '\\' && i + 1 < text.length) {
      i += 1;
      parts[parts.length - 1] += text[i];
    } else {
      within = scope(within, char);
    }
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function scope(within, char) {
  if (within === '') {
    return char === '"' || char === '<' ? char : '';
  }
  const end = within === '<' ? '>' : within;
  return char === end ? '' : within;
}

// linkTo gives the absolute URL of the first link with the relation, undefined if there is none that
// can be read.
export function linkTo(links, rel, base) {
  const link = links.find((each) => each.rel === rel);
  try {
    return link && new URL(link.target, base).href;
  } catch {
    return undefined;
  }
}

// iceServers gives the STUN and TURN servers among the links as an RTCPeerConnection wants them (RFC 9725, 4.6).
export function iceServers(links) {
  const servers = links.filter(({ rel, target }) => rel === 'ice-server' && /^(stun|turn)s?:/i.test(target));
  return servers.map(({ target, username, credential }) => (
    username === undefined ? { urls: target } : { urls: target, username, credential: credential ?? '' }
  ));
}
