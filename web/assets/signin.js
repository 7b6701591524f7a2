// How a page sends its visitor to the login, and where the login sends him then.

// Refusals that are the same for every account: of all but the gateway's own machine, of publishers where the stream has
// a source, and of pages of another origin.
const impersonal = new Set(['not_local', 'not_publishable', 'cross_origin']);

// signInOffer is what a page offers whoever was refused with a Failure: the words of a button and where that leads;
// undefined where signing in would not help. location is that of the page, to come back to.
export function signInOffer(failure, { pathname, search }) {
  const words = { 401: 'Sign in', 403: 'Sign in as somebody else' }[failure?.status];
  if (!words || impersonal.has(failure.slug)) {
    return undefined;
  }
  return { words, href: `/login?next=${encodeURIComponent(pathname + search)}` };
}

// showSignIn has a link of a page make the offer, or hides it.
export function showSignIn(link, offer) {
  link.hidden = !offer;
  if (offer) {
    link.textContent = offer.words;
    link.setAttribute('href', offer.href);
  }
}

// nextOf reads from the query of the login where to go then: an absolute path of this origin. Anything else, and the
// login itself, gives "/".
export function nextOf(search, origin) {
  const next = new URLSearchParams(search).get('next') ?? '';
  // Browsers read \ as / and skip control characters, so that either could make another host of a path.
  if (!/^\/(?!\/)[^\\\u0000-\u0020\u007f]*$/.test(next)) {
    return '/';
  }
  const url = new URL(next, origin);
  const { pathname } = url; // of which dots are gone, which may have hidden another //
  const here = url.origin === origin && !pathname.startsWith('//') && pathname !== '/login';
  return here ? pathname + url.search + url.hash : '/';
}

// tokenOf reads the token from the fragment of the login's URL, which no server gets to see; '' if there is none.
export function tokenOf(hash) {
  return new URLSearchParams(hash.replace(/^#/, '').replaceAll('+', '%2B')).get('token') ?? '';
}

// hideToken takes the token that a page was opened with out of the address bar and the history. The gateway has kept it.
export function hideToken({ href }, history) {
  const url = new URL(href);
  const tokens = [...url.searchParams.keys()].filter((name) => name.toLowerCase() === 'token');
  if (tokens.length > 0) {
    tokens.forEach((name) => url.searchParams.delete(name));
    history.replaceState(history.state, '', url.pathname + url.search + url.hash);
  }
}
