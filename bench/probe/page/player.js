// A WHEP player that does no more than it must, and notes each picture that is shown. probe.join(…) begins,
// probe.state() tells how far it is, probe.leave() ends.
import { Reader, age } from './stamp.js';

const video = document.querySelector('video');
const reader = new Reader(document);
let current;

// told are the statistics of what is received that the table needs.
const told = [
  'framesDecoded', 'framesDropped', 'keyFramesDecoded', 'freezeCount', 'totalFreezesDuration', 'jitterBufferDelay', 'jitterBufferEmittedCount',
  'pliCount', 'nackCount', 'packetsLost', 'packetsReceived', 'retransmittedPacketsReceived',
];

async function statistics(run) {
  const found = { at: performance.now() - run.click };
  for (const report of (await run.connection.getStats()).values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'video') {
      told.forEach((name) => { found[name] = report[name] ?? 0; });
    } else if (report.type === 'inbound-rtp') {
      found.audioLost = report.packetsLost ?? 0;
    }
  }
  return found;
}

// watch notes the pictures of a run until there is another: when each was shown, and how old it was when it was
// decoded and handed to the compositor.
function watch(run) {
  video.requestVideoFrameCallback((_, meta) => {
    if (run !== current) {
      return;
    }
    watch(run);
    const clock = reader.clock(video);
    const late = performance.now() - meta.presentationTime; // the compositor takes what it is handed up to 17 ms later
    run.pictures.push([performance.now() - run.click, clock === null ? null : age(clock, Date.now() - late)]);
    run.first ??= performance.now() - run.click;
  });
}

async function ask(run, url, sdp) {
  const response = await fetch(url, { method: 'POST', body: sdp });
  if (response.status !== 201) {
    throw new Error(await response.text());
  }
  run.session = response.headers.get('Location');
  run.marks.answered = performance.now() - run.click;
  return response.text();
}

async function connect(run, url) {
  run.connection = new RTCPeerConnection();
  const stream = new MediaStream();
  video.srcObject = stream;
  run.connection.ontrack = ({ track }) => stream.addTrack(track);
  run.connection.onconnectionstatechange = () => { run.marks[run.connection.connectionState] ??= performance.now() - run.click; };
  run.connection.addTransceiver('video', { direction: 'recvonly' });
  run.connection.addTransceiver('audio', { direction: 'recvonly' });
  const offer = await run.connection.createOffer();
  const [sdp] = await Promise.all([ask(run, url, offer.sdp), run.connection.setLocalDescription(offer)]);
  await run.connection.setRemoteDescription({ type: 'answer', sdp });
}

// join clicks.
function join(server, loss) {
  const run = { pictures: [], marks: {}, statistics: [], click: performance.now(), clicked: Date.now() };
  current = run;
  watch(run);
  connect(run, `/offer/${server}?loss=${loss}`).catch((error) => { run.error = String(error); });
}

// state is where the run is: since when it shows pictures, or what went wrong.
function state() {
  return { first: current.first ?? 0, error: current.error ?? '' };
}

// measure takes the statistics of now.
async function measure() {
  current.statistics.push(await statistics(current));
}

// leave ends the run and returns all that it has noted.
async function leave() {
  const run = current;
  current = undefined;
  run.connection?.close();
  video.srcObject = null;
  if (run.session) {
    await fetch(run.session, { method: 'DELETE' });
  }
  const { pictures, clicked, marks, error } = run;
  return { pictures, clicked, marks, statistics: run.statistics, error: error ?? '' };
}

window.probe = { join, state, measure, leave };
