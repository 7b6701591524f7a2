// The words for what the API says about streams.

const codecTitles = {
  h264: 'H.264', h265: 'H.265', vp8: 'VP8', vp9: 'VP9', av1: 'AV1', mjpeg: 'Motion JPEG', mpeg4: 'MPEG-4 Visual',
  opus: 'Opus', pcmu: 'G.711 µ-law', pcma: 'G.711 A-law', g722: 'G.722', aac: 'AAC', mp3: 'MP3', lpcm: 'LPCM',
};

const sourceKinds = [
  [/^demo:/, 'Demo camera'],
  [/^rtsps?:/, 'RTSP camera'],
  [/^onvif:/, 'ONVIF camera'],
  [/^wheps?:/, 'WHEP server'],
  [/^publish$/, 'WHIP publisher'],
  [/^gst:/, 'GStreamer pipeline'],
  [/^device:microphone/, 'Microphone'],
  [/^device:screen/, 'Screen'],
  [/^device:/, 'Camera here'],
];

const stateWords = { ready: 'Live', connecting: 'Connecting', idle: 'Idle', failed: 'Offline' };

export function codecTitle(codec) {
  return codecTitles[codec] ?? codec;
}

export function sourceKind(source = '') {
  return sourceKinds.find(([pattern]) => pattern.test(source))?.[1] ?? 'Source';
}

export function stateWord(state) {
  return stateWords[state] ?? 'Unknown';
}

// trackWords names what is seen and heard of a stream: "H.264 1280 × 720 · Opus".
export function trackWords(tracks) {
  const shown = (tracks ?? []).filter(({ kind, codec, skipped }) => codec && kind !== 'data' && !skipped);
  return shown.map(({ codec, width, height }) => {
    const size = width && height ? ` ${width} × ${height}` : '';
    return codecTitle(codec) + size;
  }).join(' · ');
}

// madeWords names what the gateway makes anew for viewers of a stream: "Transcoded to H.264 · Opus".
export function madeWords(transcodes) {
  const made = (transcodes ?? []).filter(({ kind, state }) => kind !== 'sink' && state !== 'failed').map(({ codec }) => codecTitle(codec));
  return made.length === 0 ? '' : `Transcoded to ${[...new Set(made)].join(' · ')}`;
}

// troubleWords says what is wrong with a stream, or with what is made of it.
export function troubleWords({ state, error, transcodes }) {
  if (error && (state === 'failed' || state === 'connecting')) {
    return error;
  }
  const broken = (transcodes ?? []).find((t) => t.state === 'failed' && t.error);
  return broken ? `${broken.kind === 'sink' ? 'Sink' : codecTitle(broken.codec)}: ${broken.error}` : '';
}

export function viewerWords(viewers = 0) {
  return viewers === 0 ? 'Nobody watching' : `${viewers} watching`;
}

// totalWords sums up a list of streams; nothing for an empty list.
export function totalWords(streams) {
  if (streams.length === 0) {
    return '';
  }
  const live = streams.filter((stream) => stream.state === 'ready').length;
  const viewers = streams.reduce((sum, stream) => sum + (stream.viewers ?? 0), 0);
  return `${live} of ${streams.length} live · ${viewers} watching`;
}
