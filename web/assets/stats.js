// The few numbers of a WebRTC statistics report that a viewer cares about, and how numbers are told.

import { codecTitle } from './words.js';

// summarize reads an RTCStatsReport (a Map of statistics by id). Rates need the summary before this one; what
// a browser does not tell is undefined.
export function summarize(report, before) {
  const all = [...report.values()];
  const video = all.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
  const audio = all.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
  const pair = selectedPair(report, all);
  const summary = {
    at: (video ?? audio ?? pair)?.timestamp ?? 0,
    video: stream(report, video),
    audio: stream(report, audio),
    roundTrip: milliseconds(pair?.currentRoundTripTime),
  };
  rate(summary, before);
  return summary;
}

function stream(report, s) {
  if (!s) {
    return undefined;
  }
  return {
    codec: title(report.get(s.codecId)?.mimeType),
    decoder: s.decoderImplementation,
    width: s.frameWidth,
    height: s.frameHeight,
    frames: s.framesDecoded ?? 0,
    received: s.framesReceived,
    dropped: s.framesDropped,
    freezes: s.freezeCount,
    bytes: s.bytesReceived ?? 0,
    packets: s.packetsReceived ?? 0,
    lost: s.packetsLost,
    jitter: milliseconds(s.jitter),
    bufferDelay: s.jitterBufferDelay,
    buffered: s.jitterBufferEmittedCount,
  };
}

// title names the codec of a MIME type.
export function title(mimeType) {
  return mimeType && codecTitle(mimeType.split('/')[1].toLowerCase());
}

// selectedPair finds the candidate pair in use.
export function selectedPair(report, all) {
  const transport = all.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
  return report.get(transport?.selectedCandidatePairId)
    ?? all.find((s) => s.type === 'candidate-pair' && (s.selected || (s.nominated && s.state === 'succeeded')));
}

function rate(summary, before) {
  const seconds = before ? (summary.at - before.at) / 1000 : 0;
  for (const kind of ['video', 'audio']) {
    const now = summary[kind];
    const then = before?.[kind];
    if (!now || !then || seconds <= 0 || now.bytes < then.bytes) {
      continue;
    }
    now.kbps = ((now.bytes - then.bytes) * 8) / 1000 / seconds;
    now.fps = (now.frames - then.frames) / seconds;
    const emitted = now.buffered - then.buffered;
    now.buffer = emitted > 0 ? ((now.bufferDelay - then.bufferDelay) / emitted) * 1000 : undefined;
  }
}

export function milliseconds(seconds) {
  return seconds === undefined ? undefined : seconds * 1000;
}

// rows are the lines of the statistics panel, as pairs of label and value. delivery is why it is sent (delivery.js).
export function rows(summary, startedIn, delivery = []) {
  const { video, audio } = summary;
  return [
    ...(video ? videoRows(video) : []),
    ...(audio ? [['Audio', join([audio.codec, number(audio.kbps, 'kbit/s')])]] : []),
    ['Round trip', join([number(summary.roundTrip, 'ms')])],
    ['Jitter buffer', join([number((video ?? audio)?.buffer, 'ms')])],
    ['Packets lost', lost(video, audio)],
    ['Started in', join([number(startedIn, 'ms')])],
    ...delivery.map(({ codec, reason }) => [`Why ${codecTitle(codec)}`, reason]),
  ];
}

function videoRows(video) {
  return [
    ['Video', join([video.codec, video.decoder])],
    ['Picture', join([size(video), number(video.fps, 'fps')])],
    ['Bit rate', join([number(video.kbps, 'kbit/s')])],
    ['Dropped · freezes', join([video.dropped, video.freezes])],
  ];
}

// headline is one short line about the picture, or about the sound if there is none.
export function headline({ video, audio }, delivery = []) {
  const made = ({ codec }) => codec && delivery.some((d) => d.transcoded && codecTitle(d.codec) === codec) && 'transcoded';
  if (video?.width) {
    return join([video.codec, size(video), number(video.fps, 'fps'), made(video) || undefined]);
  }
  return audio?.codec ? join([audio.codec, made(audio) || undefined]) : '';
}

export function size({ width, height }) {
  return width && height ? `${width} × ${height}` : undefined;
}

function lost(...streams) {
  const known = streams.filter((s) => s?.lost !== undefined);
  if (known.length === 0) {
    return '–';
  }
  const missing = known.reduce((sum, s) => sum + Math.max(0, s.lost), 0);
  const expected = known.reduce((sum, s) => sum + s.packets, missing);
  return expected ? `${missing} (${((missing / expected) * 100).toFixed(1)} %)` : `${missing}`;
}

export function number(value, unit) {
  return Number.isFinite(value) ? `${Math.round(value)} ${unit}` : undefined;
}

// join puts together what is known.
export function join(parts) {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ') || '–';
}
