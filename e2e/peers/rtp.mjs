// Media files cut into RTP the way OBS cuts them: H264 as single NAL units and FU-A of at most 1200 bytes, Opus one
// frame a packet, the header extensions mid and rid on every packet of video.

import { readFileSync } from 'node:fs';

const MAX_FRAGMENT = 1200;
const HISTORY = 4000; // packets kept for NACK

// pictures returns the access units of an Annex B file of one slice a picture: arrays of NAL units.
export function pictures(path) {
  const data = readFileSync(path);
  const all = [];
  let unit = [];
  for (const nalu of nalUnits(data)) {
    unit.push(nalu);
    const type = nalu[0] & 0x1f;
    if (type === 1 || type === 5) {
      all.push(unit);
      unit = [];
    }
  }
  return all;
}

function nalUnits(data) {
  const code = Buffer.from([0, 0, 1]);
  const all = [];
  for (let from = data.indexOf(code); from >= 0;) {
    const next = data.indexOf(code, from + 3);
    let end = next < 0 ? data.length : next;
    while (end > from && data[end - 1] === 0) {
      end--;
    }
    all.push(data.subarray(from + 3, end));
    from = next;
  }
  return all;
}

// opusFrames returns the packets of an Ogg Opus file, without its two headers (RFC 3533, RFC 7845).
export function opusFrames(path) {
  const data = readFileSync(path);
  const packets = [];
  let parts = [];
  for (let page = 0; page < data.length;) {
    const lacing = data.subarray(page + 27, page + 27 + data[page + 26]);
    let at = page + 27 + lacing.length;
    for (const length of lacing) {
      parts.push(data.subarray(at, at + length));
      at += length;
      if (length < 255) {
        packets.push(Buffer.concat(parts));
        parts = [];
      }
    }
    page = at;
  }
  return packets.slice(2);
}

function fragments(nalu) {
  if (nalu.length <= MAX_FRAGMENT) {
    return [nalu];
  }
  const all = [];
  const size = MAX_FRAGMENT - 2;
  for (let at = 1; at < nalu.length; at += size) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + size >= nalu.length ? 0x40 : 0;
    const head = Buffer.from([(nalu[0] & 0xe0) | 28, start | end | (nalu[0] & 0x1f)]);
    all.push(Buffer.concat([head, nalu.subarray(at, at + size)]));
  }
  return all;
}

// extension is a one-byte header extension block (RFC 8285) of elements {id: text}.
function extension(elements) {
  const parts = Object.entries(elements).map(([id, text]) => {
    return Buffer.concat([Buffer.from([(Number(id) << 4) | (text.length - 1)]), Buffer.from(text)]);
  });
  let body = Buffer.concat(parts);
  body = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  const head = Buffer.from([0xbe, 0xde, 0, 0]);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

// Sender is one SSRC of an m-section.
export class Sender {
  constructor({ ssrc, payloadType, clockRate, elements, send }) {
    Object.assign(this, { ssrc, payloadType, clockRate, send });
    this.extension = elements ? extension(elements) : Buffer.alloc(0);
    this.sequence = Math.floor(Math.random() * 65536);
    this.start = Math.floor(Math.random() * 2 ** 31);
    this.history = new Map();
    this.pictures = 0;
    this.packets = 0;
    this.bytes = 0;
    this.resent = 0;
  }

  picture(unit, seconds) {
    const payloads = unit.flatMap(fragments);
    payloads.forEach((payload, i) => this.write(payload, seconds, i === payloads.length - 1));
    this.pictures++;
  }

  frame(payload, seconds) {
    this.write(payload, seconds, false);
  }

  timestamp(seconds) {
    return (this.start + Math.round(seconds * this.clockRate)) >>> 0;
  }

  write(payload, seconds, marker) {
    const head = Buffer.alloc(12);
    head[0] = this.extension.length ? 0x90 : 0x80;
    head[1] = (marker ? 0x80 : 0) | this.payloadType;
    head.writeUInt16BE(this.sequence, 2);
    head.writeUInt32BE(this.timestamp(seconds), 4);
    head.writeUInt32BE(this.ssrc, 8);
    const packet = Buffer.concat([head, this.extension, payload]);
    this.history.set(this.sequence, packet);
    this.history.delete((this.sequence - HISTORY) & 0xffff);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.packets++;
    this.bytes += payload.length;
    this.send(packet);
  }

  resend(sequence) {
    const packet = this.history.get(sequence);
    if (packet) {
      this.resent++;
      this.send(packet);
    }
  }

  // report sends an RTCP sender report (RFC 3550 6.4.1) for this moment, which is so many seconds into the media.
  report(seconds) {
    const packet = Buffer.alloc(28);
    packet.writeUInt32BE(0x80c80006, 0);
    packet.writeUInt32BE(this.ssrc, 4);
    const now = Date.now();
    packet.writeUInt32BE(Math.floor(now / 1000) + 2208988800, 8);
    packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), 12);
    packet.writeUInt32BE(this.timestamp(seconds), 16);
    packet.writeUInt32BE(this.packets >>> 0, 20);
    packet.writeUInt32BE(this.bytes >>> 0, 24);
    this.send(packet);
  }
}

// feedback takes an RTCP compound apart: {keyframeRequests, nacks: [{ssrc, sequence}]}.
export function feedback(message) {
  const found = { keyframeRequests: 0, nacks: [] };
  for (let at = 0; at + 4 <= message.length;) {
    const format = message[at] & 0x1f;
    const type = message[at + 1];
    const end = at + 4 * (message.readUInt16BE(at + 2) + 1);
    if (type === 206 && (format === 1 || format === 4)) {
      found.keyframeRequests++;
    }
    if (type === 205 && format === 1) {
      const ssrc = message.readUInt32BE(at + 8);
      for (let item = at + 12; item + 4 <= end; item += 4) {
        const first = message.readUInt16BE(item);
        const mask = message.readUInt16BE(item + 2);
        found.nacks.push({ ssrc, sequence: first });
        for (let bit = 0; bit < 16; bit++) {
          if (mask & (1 << bit)) {
            found.nacks.push({ ssrc, sequence: (first + 1 + bit) & 0xffff });
          }
        }
      }
    }
    at = end;
  }
  return found;
}

// payloadOf takes an RTP packet apart: {sequence, marker, payload}; null for RTCP.
export function payloadOf(packet) {
  if (packet[1] >= 192 && packet[1] < 224) { // RFC 5761
    return null;
  }
  let at = 12 + 4 * (packet[0] & 0x0f);
  if (packet[0] & 0x10) {
    at += 4 + 4 * packet.readUInt16BE(at + 2);
  }
  return { sequence: packet.readUInt16BE(2), marker: packet[1] >= 128, payload: packet.subarray(at) };
}

// Pictures puts H264 together from packets that come in order (RFC 6184), and hands each picture on with start codes.
// A gap ends it: then no more pictures come.
export class Pictures {
  constructor(hand) {
    this.hand = hand;
    this.parts = [];
  }

  add({ sequence, marker, payload }) {
    if (this.next !== undefined && sequence !== this.next) {
      return;
    }
    this.next = (sequence + 1) & 0xffff;
    this.take(payload);
    if (marker) {
      this.hand(Buffer.concat(this.parts));
      this.parts = [];
    }
  }

  take(payload) {
    const start = Buffer.from([0, 0, 0, 1]);
    const type = payload[0] & 0x1f;
    if (type === 28) {
      if (payload[1] & 0x80) {
        this.parts.push(start, Buffer.from([(payload[0] & 0xe0) | (payload[1] & 0x1f)]));
      }
      this.parts.push(Buffer.from(payload.subarray(2)));
    } else if (type === 24) {
      for (let at = 1; at < payload.length; at += 2 + payload.readUInt16BE(at)) {
        this.parts.push(start, Buffer.from(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at))));
      }
    } else {
      this.parts.push(start, Buffer.from(payload));
    }
  }
}
