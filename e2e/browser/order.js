// Watches which pictures of a clip of bar_test.go the page's <video> shows: each has a white bar on black, six columns
// further right than in the one before. sluiceOrder() tells of each picture shown when that was, in milliseconds of
// the page, its number in the clip, and its RTP timestamp. Both the list and the watching begin with the first call.
window.sluiceOrder ??= (() => {
  const video = document.querySelector('video');
  const canvas = document.createElement('canvas');
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  [canvas.width, canvas.height] = [320, 4];
  const shown = [];

  // number is the clip's picture, told by the middle of its bar; -1 without a bar.
  function number() {
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = brush.getImageData(0, 1, canvas.width, 1);
    let sum = 0, count = 0;
    for (let x = 0; x < canvas.width; x++) {
      if (data[4 * x + 1] > 128) {
        [sum, count] = [sum + x, count + 1];
      }
    }
    return count ? Math.round((sum / count - 5.5) / 6) : -1;
  }

  const note = (now, { rtpTimestamp }) => {
    shown.push({ at: now, number: number(), time: rtpTimestamp });
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  return () => ({ now: performance.now(), shown });
})();
