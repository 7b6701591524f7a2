// Stands in the player page itself: asks for the stream before any other file of the page is there, on the connection
// that brought the page, and applies the answer. The rest of the page is fetched when the question is on its way, so
// that nothing is before it in the browser's queue; the player takes over what has begun (assets/session.js).
{
  const root = document.documentElement;
  const rest = document.getElementById('rest').content;
  const sdpType = 'application/sdp';
  const dispatch = 50; // milliseconds in which Firefox, if it is not busy, has sent a request

  const ask = async (pc, signal) => {
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    await pc.setLocalDescription();
    const headers = { 'Content-Type': sdpType, Accept: sdpType };
    return { response: fetch(root.dataset.endpoint, { method: 'POST', headers, body: pc.localDescription.sdp, signal }) };
  };

  const apply = async (pc, response) => {
    const answer = (await response).clone();
    if (answer.ok) {
      await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    }
  };

  const begin = () => {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const begun = { pc, abort: new AbortController(), askedAt: performance.now(), tracks: [] };
    pc.ontrack = (event) => begun.tracks.push(event);
    begun.request = ask(pc, begun.abort.signal);
    begun.applied = begun.request.then(({ response }) => apply(pc, response));
    globalThis.sluiceBegun = begun;
    return begun;
  };

  const fetchRest = () => document.head.append(rest);
  const fetchRestAfter = ({ request, applied }) => {
    const sent = request.then(() => new Promise((resolve) => { setTimeout(resolve, dispatch); }));
    Promise.race([applied, sent]).then(fetchRest, fetchRest); // the player tells of failures
    applied.catch(() => {});
  };

  // Without its scripts a page that waits for ever has nobody to say so.
  const tell = () => {
    globalThis.sluiceBegun?.pc.close();
    root.dataset.state = 'error';
    document.getElementById('badge').textContent = 'Not playing';
    document.getElementById('banner-title').textContent = 'This page did not load completely';
    document.getElementById('banner-text').textContent = 'A part of it could not be fetched from the gateway.';
    document.getElementById('retry').onclick = () => location.reload();
    document.getElementById('banner').hidden = false;
  };
  rest.querySelector('script').addEventListener('error', () => {
    if (document.readyState === 'loading') {
      document.addEventListener('DOMContentLoaded', tell);
    } else {
      tell();
    }
  });

  root.hidden = true; // until its style is there
  for (const type of ['load', 'error']) {
    rest.querySelector('link[rel="stylesheet"]').addEventListener(type, () => { root.hidden = false; });
  }
  try {
    if (new URLSearchParams(location.search).has('relay')) {
      fetchRest(); // the player has to ask for relays first
    } else {
      fetchRestAfter(begin());
    }
  } catch { // no RTCPeerConnection, or none to be had: the player tells of that
    fetchRest();
  }
}
