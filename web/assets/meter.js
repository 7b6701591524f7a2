// What a publisher sends, as its browser counts it.

import { join, milliseconds, number, selectedPair, size, title } from './stats.js';

const layerNames = { h: 'High', m: 'Medium', l: 'Low' };

// meter reads an RTCStatsReport into rows, one for each layer of the picture, largest first, and one for the
// sound, and sums. Rates need the meter before this one; what a browser does not tell is undefined.
export function meter(report, before) {
  const all = [...report.values()];
  const sent = all.filter(({ type, kind }) => type === 'outbound-rtp' && (kind === 'video' || kind === 'audio'));
  const rows = sent.map((s) => row(report, s, before)).sort(byRank);
  const heard = all.filter(({ type }) => type === 'remote-inbound-rtp');
  const roundTrip = selectedPair(report, all)?.currentRoundTripTime ?? heard.find((s) => s.roundTripTime)?.roundTripTime;
  return {
    rows,
    kbps: sum(rows.map(({ kbps }) => kbps)),
    roundTrip: milliseconds(roundTrip),
    lost: sum(heard.map(({ packetsLost }) => packetsLost)),
    packets: sum(rows.map(({ packets }) => packets)),
  };
}

function row(report, s, before) {
  const rid = s.kind === 'audio' ? 'audio' : (s.rid ?? 'main');
  const then = before?.rows.find((each) => each.rid === rid && each.ssrc === s.ssrc);
  const seconds = then ? (s.timestamp - then.at) / 1000 : 0;
  const rate = (now, past) => (seconds > 0 && now >= past ? (now - past) / seconds : undefined);
  const bytes = s.bytesSent ?? 0;
  const frames = s.framesEncoded ?? 0;
  return {
    rid,
    ssrc: s.ssrc,
    at: s.timestamp,
    codec: title(report.get(s.codecId)?.mimeType),
    width: s.frameWidth,
    height: s.frameHeight,
    bytes,
    frames,
    packets: s.packetsSent ?? 0,
    kbps: then && scale(rate(bytes, then.bytes), 8 / 1000),
    fps: then && rate(frames, then.frames),
    limit: s.qualityLimitationReason,
  };
}

function scale(value, factor) {
  return value === undefined ? undefined : value * factor;
}

function sum(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

function byRank(a, b) {
  return rank(b) - rank(a) || a.rid.localeCompare(b.rid);
}

// rank tells the layers that send nothing yet by their names.
function rank({ rid, width, height }) {
  if (rid === 'audio') {
    return -1;
  }
  return width ? width * height : (['l', 'm', 'h'].indexOf(rid) + 1) / 10;
}

// meterCells are the words of one row: its name, what it is, and how much of it goes out.
export function meterCells({ rid, codec, width, height, fps, kbps, limit }) {
  if (rid === 'audio') {
    return ['Sound', join([codec]), '', number(kbps, 'kbit/s') ?? '–'];
  }
  const idle = kbps === 0;
  const name = layerNames[rid] ?? (rid === 'main' ? 'Picture' : rid);
  const picture = join([codec, size({ width, height })?.replaceAll(' ', '\u00a0'), limitWords[limit]]);
  return [name, idle ? 'Not sent' : picture, idle ? '' : (number(fps, 'fps') ?? '–'), number(kbps, 'kbit/s') ?? '–'];
}

const limitWords = { cpu: 'held back by this device', bandwidth: 'held back by the network' };

// meterSums are the lines below the rows, as pairs of label and value.
export function meterSums({ kbps, roundTrip, lost, packets }) {
  const share = packets ? ` (${((Math.max(0, lost) / packets) * 100).toFixed(1)} %)` : '';
  return [
    ['Total', number(kbps, 'kbit/s') ?? '–'],
    ['Round trip', number(roundTrip, 'ms') ?? '–'],
    ['Packets lost', lost === undefined ? '–' : `${Math.max(0, lost)}${share}`],
  ];
}
