// Reads the time that the source has put into a picture: 32 blocks across the top, white for 1 and black for 0, the
// first 24 for milliseconds since 1970 as far as they go, the last 8 for their CRC-8. See stamp.go.

export const bits = 32;
const round = 2 ** 24;

// lines is how many lines of a picture the stamp takes.
export const lines = (height) => Math.max(16, Math.floor(Math.floor(height / 22) / 16) * 16);

function check(clock) {
  let crc = 0xff;
  for (const shift of [16, 8, 0]) {
    crc ^= (clock >> shift) & 0xff;
    for (let i = 0; i < 8; i += 1) {
      crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
    }
  }
  return crc;
}

// decode returns the clock that 32 levels of light (0 to 255) stand for, null if they are no stamp.
export function decode(levels) {
  let value = 0;
  for (const level of levels) {
    value = value * 2 + (level > 127 ? 1 : 0);
  }
  const clock = Math.floor(value / 256);
  return check(clock) === value % 256 ? clock : null;
}

// age is how many milliseconds before now (as of Date.now()) the clock was read.
export function age(clock, now) {
  const behind = (((now - clock) % round) + round) % round;
  return behind < round / 2 ? behind : behind - round;
}

// Reader reads the stamps of a video's pictures, of which it draws nothing but the stamp's middle line.
export class Reader {
  constructor(document) {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [bits, 1];
    this.brush = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    this.brush.imageSmoothingEnabled = false;
  }

  // clock is that of the current picture, null if it has none.
  clock(video) {
    const middle = Math.floor(lines(video.videoHeight) / 2);
    this.brush.drawImage(video, 0, middle, video.videoWidth, 1, 0, 0, bits, 1);
    const { data } = this.brush.getImageData(0, 0, bits, 1);
    return decode(Array.from({ length: bits }, (_, i) => data[4 * i + 1]));
  }
}
