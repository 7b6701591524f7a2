// What a publisher offers to send of its picture: in which sizes, and in which codec.

const bitrates = [[1080, 4_500_000], [720, 2_500_000], [480, 1_200_000], [0, 700_000]]; // bit/s from that height on

// Smallest first: Chromium takes the last for the largest, and pads the connection to the bit rate of all others.
const layers = [
  { rid: 'l', scaleResolutionDownBy: 4, share: 0.1 },
  { rid: 'm', scaleResolutionDownBy: 2, share: 0.3 },
  { rid: 'h', scaleResolutionDownBy: 1, share: 1 },
];

const choices = ['h264', 'vp8', 'vp9', 'av1'];
const helpers = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03']);

// encodings gives the sendEncodings for a picture of that height: three layers, or one without a name. A
// scalability mode keeps Chromium from making one stream with spatial layers of VP9 and AV1.
export function encodings(height, simulcast) {
  const most = bitrates.find(([from]) => height >= from)[1];
  if (!simulcast) {
    return [{ maxBitrate: most }];
  }
  return layers.map(({ share, ...layer }) => ({ ...layer, maxBitrate: most * share, scalabilityMode: 'L1T1' }));
}

// addVideo offers the track in these encodings, or in one if the browser takes no more.
export function addVideo(pc, track, stream, sendEncodings) {
  const add = (some) => pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings: some });
  const { maxBitrate } = sendEncodings.at(-1);
  try {
    return add(sendEncodings);
  } catch {
    return add([{ maxBitrate }]);
  }
}

// sendable gives those of our codecs that a browser can send, from its RTCRtpCapabilities.
export function sendable(capabilities) {
  const known = new Set((capabilities?.codecs ?? []).map(nameOf));
  return choices.filter((choice) => known.has(choice));
}

// preferences gives what setCodecPreferences wants, to send the one codec and what repairs its losses.
export function preferences(capabilities, codec) {
  const wanted = (each) => nameOf(each) === codec;
  return [...capabilities.codecs.filter(wanted), ...capabilities.codecs.filter((each) => helpers.has(nameOf(each)))];
}

function nameOf({ mimeType }) {
  return mimeType.split('/')[1].toLowerCase();
}
