// Publishes by WHIP as OBS 32 does: its offer, its WebRTC library, its order of doing things. No candidates in the
// offer and no PATCH; PLI and FIR are counted and ignored; at the end DTLS is closed first, then comes DELETE.
//
//   node obs.mjs URL --video big.h264 [--video small.h264] [--audio tone.ogg] [--fps 25] [--token TOKEN]
//
// More than one --video is simulcast, RIDs "0", "1", … . SIGUSR2 stops the last layer alone, SIGTERM everything.
// Tells on standard output: offer, answered, refused, state, counts (each 200 ms), deleted.

import http from 'node:http';
import { parseArgs } from 'node:util';
import ndc from 'node-datachannel';
import { stopped, tell } from './events.mjs';
import { Sender, feedback, opusFrames, pictures } from './rtp.mjs';

const { values, positionals: [url] } = parseArgs({
  allowPositionals: true,
  options: {
    video: { type: 'string', multiple: true, default: [] },
    audio: { type: 'string' },
    fps: { type: 'string', default: '25' },
    token: { type: 'string' },
  },
});
const fps = Number(values.fps);
const userAgent = 'Mozilla/5.0 (OBS-Studio/32.2.2; Linux x86_64; en-US)';
const authorization = values.token ? { Authorization: `Bearer ${values.token}` } : {};
const base = 1 + Math.floor(Math.random() * 2 ** 31);
const senders = [];
const counts = { pictures: 0, keyframe_requests: 0, nacks: 0, resent: 0 };

const connection = new ndc.PeerConnection('obs', { iceServers: [] });
connection.onStateChange((state) => tell('state', { state }));

// sendOn sends on a track until it is closed, which is told on another thread.
function sendOn(track) {
  return (packet) => {
    try {
      track.sendMessageBinary(packet);
    } catch (err) {
      if (track.isOpen()) {
        throw err;
      }
    }
  };
}

function addAudio() {
  const media = new ndc.Audio('0', 'SendOnly');
  media.addOpusCodec(111, 'minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1');
  media.addSSRC(base, 'obs', 'obs', 'obs-audio');
  const track = connection.addTrack(media);
  const sender = new Sender({ ssrc: base, payloadType: 111, clockRate: 48000, send: sendOn(track) });
  senders.push(sender);
  return { sender, frames: opusFrames(values.audio) };
}

function addVideo() {
  const layers = values.video.length > 1;
  const media = new ndc.Video('1', 'SendOnly');
  media.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
  media.parseSdpLine('a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid');
  media.parseSdpLine('a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id');
  if (layers) {
    media.parseSdpLine('a=msid:obs obs-video');
    values.video.forEach((_, rid) => media.parseSdpLine(`a=rid:${rid} send`));
    media.parseSdpLine(`a=simulcast:send ${values.video.map((_, rid) => rid).join(';')}`);
  } else {
    media.addSSRC(base + 1, 'obs', 'obs', 'obs-video');
  }
  const track = connection.addTrack(media);
  track.onMessage(listen);
  return values.video.map((path, rid) => {
    const sender = new Sender({
      ssrc: base + 1 + rid, payloadType: 96, clockRate: 90000, send: sendOn(track),
      elements: layers ? { 1: '1', 2: String(rid) } : { 1: '1' },
    });
    senders.push(sender);
    return { sender, pictures: pictures(path) };
  });
}

function listen(message) {
  const heard = feedback(Buffer.from(message));
  counts.keyframe_requests += heard.keyframeRequests;
  counts.nacks += heard.nacks.length;
  for (const { ssrc, sequence } of heard.nacks) {
    senders.find((s) => s.ssrc === ssrc)?.resend(sequence);
  }
}

// offer is the library's, with the two words that OBS's build of it writes and this one does not.
async function offer() {
  const sdp = await new Promise((resolve) => {
    connection.onLocalDescription(resolve);
    connection.setLocalDescription();
  });
  return sdp.replace('a=ice-options:ice2,trickle', 'a=ice-options:ice2,trickle trickle')
    .replace('a=rtcp-fb:96 goog-remb', 'a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb');
}

// request sends what OBS sends, header for header.
function request(method, address, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = http.request(address, { method, headers, timeout: 8000, agent: false }, async (response) => {
      const parts = await response.toArray();
      resolve({ status: response.statusCode, location: response.headers.location, body: Buffer.concat(parts).toString() });
    });
    sent.removeHeader('Connection');
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method}`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function post(sdp) {
  const began = performance.now();
  const headers = {
    Accept: '*/*', 'Content-Type': 'application/sdp', 'User-Agent': userAgent, 'Content-Length': Buffer.byteLength(sdp),
    ...authorization,
  };
  const { status, location, body } = await request('POST', url, headers, sdp);
  if (status !== 201) {
    tell('refused', { status, detail: body });
    process.exit(2);
  }
  tell('answered', { status, location, milliseconds: performance.now() - began, answer: body });
  const layers = (/^a=simulcast:recv (.*?)\r?$/m.exec(body)?.[1] ?? '').split(';').filter(Boolean).length;
  if (values.video.length > 1 && layers !== values.video.length) {
    tell('refused', { status: 201, detail: `WHIP only accepted ${layers} layers` });
    process.exit(2);
  }
  return { resource: new URL(location, url).href, answer: body.slice(body.indexOf('v=0')) };
}

// stream sends the files over and over, at their pace, until it is told to stop.
function stream(sound, layers) {
  const began = performance.now();
  let shown = 0;
  let heard = 0;
  const media = setInterval(() => {
    const now = (performance.now() - began) / 1000;
    for (; shown / fps <= now; shown++) {
      for (const { sender, pictures: all } of layers) {
        sender.picture(all[shown % all.length], shown / fps);
      }
    }
    for (; sound && heard * 0.02 <= now; heard++) {
      sound.sender.frame(sound.frames[heard % sound.frames.length], heard * 0.02);
    }
  }, 5);
  const reports = setInterval(() => {
    senders.forEach((s) => s.report((performance.now() - began) / 1000));
  }, 500);
  process.on('SIGUSR2', () => layers.pop());
  return () => [media, reports].forEach(clearInterval);
}

const sound = values.audio ? addAudio() : null;
const layers = values.video.length ? addVideo() : [];
const sdp = await offer();
tell('offer', { sdp });
const { resource, answer } = await post(sdp);
const open = new Promise((resolve) => {
  connection.onStateChange((state) => {
    tell('state', { state });
    if (state === 'connected') {
      resolve();
    }
  });
});
connection.setRemoteDescription(answer, 'answer');
await Promise.race([open, stopped]);
const stop = stream(sound, layers);
setInterval(() => {
  counts.pictures = Math.max(0, ...layers.map(({ sender }) => sender.pictures));
  counts.resent = senders.reduce((sum, s) => sum + s.resent, 0);
  tell('counts', counts);
}, 200);

await stopped;
stop();
connection.close();
const { status } = await request('DELETE', resource, { Accept: '*/*', 'User-Agent': userAgent, ...authorization });
tell('deleted', { status });
process.exit(0);
