// Runs in the page before its own scripts and watches it from outside: every peer connection that it makes, and
// what its <video> shows. sluiceProbe() tells what is to be seen and heard now.
(() => {
  const connections = [];
  const violations = [];
  const Native = window.RTCPeerConnection;
  if (Native) {
    window.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        connections.push(this);
      }
    };
  }
  addEventListener('securitypolicyviolation', (event) => {
    violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });

  const born = Math.random().toString(36).slice(2); // another one after a reload
  const canvas = document.createElement('canvas');
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  [canvas.width, canvas.height] = [32, 18];

  // picture is the video's current picture, small and grey.
  function picture(video) {
    if (!video?.videoWidth) {
      return [];
    }
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = brush.getImageData(0, 0, canvas.width, canvas.height);
    const grey = [];
    for (let i = 0; i < data.length; i += 4) {
      grey.push(Math.round((data[i] + data[i + 1] + data[i + 2]) / 3));
    }
    return grey;
  }

  let ear = {};

  // listen tells of the sound in the stream that the page plays: loudness, which is the root mean square, 0 to 1, and
  // pitch, the frequency in Hz that is the strongest. Listening makes Chromium decode the sound of a muted video.
  // Firefox decodes it anyway, but listens only with a sound card.
  function listen(stream) {
    if (!stream?.getAudioTracks().length) {
      return { loudness: 0, pitch: 0 };
    }
    if (ear.stream !== stream) {
      const context = ear.context ?? new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 8_192, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(stream).connect(analyser);
      ear = { stream, analyser, context };
    }
    const samples = new Float32Array(ear.analyser.fftSize);
    ear.analyser.getFloatTimeDomainData(samples);
    const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    const levels = new Float32Array(ear.analyser.frequencyBinCount);
    ear.analyser.getFloatFrequencyData(levels);
    const strongest = levels.reduce((best, level, i) => (level > levels[best] ? i : best), 0);
    return { loudness, pitch: strongest * ear.context.sampleRate / ear.analyser.fftSize };
  }

  // stats are what a connection counts. Firefox never tells of one that is closed while it is asked.
  function stats(connection) {
    const nothing = new Promise((resolve) => { setTimeout(resolve, 2_000, new Map()); });
    return Promise.race([connection.getStats(), nothing]);
  }

  async function received() {
    const sum = { framesDecoded: 0, packetsLost: 0, audioPackets: 0, audioEnergy: 0, videoBytes: 0, codecs: {} };
    for (const connection of connections) {
      if (connection.connectionState === 'closed') {
        continue;
      }
      const reports = await stats(connection);
      for (const report of reports.values()) {
        if (report.type !== 'inbound-rtp') {
          continue;
        }
        sum.codecs[report.kind] = reports.get(report.codecId)?.mimeType ?? '';
        sum.packetsLost += report.packetsLost ?? 0;
        if (report.kind === 'video') {
          sum.framesDecoded += report.framesDecoded ?? 0;
          sum.videoBytes += report.bytesReceived ?? 0;
        } else {
          sum.audioPackets += report.packetsReceived ?? 0;
          sum.audioEnergy += report.totalAudioEnergy ?? 0;
        }
      }
    }
    return sum;
  }

  const shown = (id) => {
    const element = document.getElementById(id);
    return element && !element.closest('[hidden]') ? element.innerText.trim() : '';
  };

  window.sluiceProbe = async () => {
    const video = document.querySelector('video');
    return {
      born,
      ...document.documentElement.dataset,
      ...await received(),
      connections: connections.length,
      width: video?.videoWidth ?? 0,
      height: video?.videoHeight ?? 0,
      shownFrames: video?.getVideoPlaybackQuality?.().totalVideoFrames ?? 0,
      currentTime: video?.currentTime ?? 0,
      paused: video?.paused ?? true,
      picture: picture(video),
      ...listen(video?.srcObject),
      banner: [shown('banner-title'), shown('banner-text')].filter(Boolean).join(' | '),
      text: document.body.innerText,
      violations,
    };
  };
})();
