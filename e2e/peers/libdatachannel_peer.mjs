// Plays by WHEP with libdatachannel, which decodes nothing: it puts the pictures together and writes them to a file.
//
//   node libdatachannel_peer.mjs play URL --video out.h264
//
// Tells on standard output: offer, answered, refused, state, counts (each 200 ms: pictures written, packets of sound),
// deleted. SIGTERM ends it with DELETE.

import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import ndc from 'node-datachannel';
import { stopped, tell } from './events.mjs';
import { Pictures, payloadOf } from './rtp.mjs';

const { values, positionals: [, url] } = parseArgs({ allowPositionals: true, options: { video: { type: 'string' } } });
const counts = { pictures: 0, sounds: 0 };
const connection = new ndc.PeerConnection('viewer', { iceServers: [] });
connection.onStateChange((state) => tell('state', { state }));

function addVideo() {
  const file = createWriteStream(values.video);
  const media = new ndc.Video('0', 'RecvOnly');
  media.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
  const pictures = new Pictures((picture) => {
    file.write(picture);
    counts.pictures++;
  });
  const track = connection.addTrack(media);
  track.onMessage((message) => {
    const packet = payloadOf(message);
    if (packet) {
      pictures.add(packet);
    }
  });
  return track;
}

function addAudio() {
  const media = new ndc.Audio('1', 'RecvOnly');
  media.addOpusCodec(111, 'minptime=10;useinbandfec=1');
  const track = connection.addTrack(media);
  track.onMessage((message) => {
    counts.sounds += payloadOf(message) ? 1 : 0;
  });
  return track;
}

const tracks = [addVideo(), addAudio()]; // held, or they are collected
const sdp = await new Promise((resolve) => {
  connection.onGatheringStateChange((state) => {
    if (state === 'complete') {
      resolve(connection.localDescription().sdp);
    }
  });
  connection.setLocalDescription();
});
tell('offer', { sdp });
const began = performance.now();
const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: sdp });
const answer = await response.text();
if (response.status !== 201) {
  tell('refused', { status: response.status, detail: answer });
  process.exit(2);
}
const location = response.headers.get('Location');
tell('answered', { status: response.status, location, milliseconds: performance.now() - began, answer });
connection.setRemoteDescription(answer, 'answer');
setInterval(() => tell('counts', counts), 200);

await stopped;
tracks.forEach((track) => track.close());
const { status } = await fetch(new URL(location, url), { method: 'DELETE' });
tell('deleted', { status });
connection.close();
process.exit(0);
