// A WHIP publisher or WHEP player in the page, for what the gateway's own pages do not do: sluicePeer.start(…)
// trickles candidate by candidate, sluicePeer.restart() restarts ICE, sluicePeer.listen(…) hears server-sent events.
(() => {
  let connection, resource, etag, answer, links, video, click, shown;
  const pause = { gap: 0, stall: 0 }; // since the last watch()
  const statuses = []; // of PATCH
  let trickled; // resolves once each candidate that was trickled is answered

  const candidateLines = () => connection.localDescription.sdp.match(/a=candidate:.*/g) ?? [];

  // fragment is a trickle-ice-sdpfrag (RFC 8840) of the first section, to which all others are bundled.
  function fragment(candidates) {
    const { sdp } = connection.localDescription;
    const head = ['a=ice-ufrag:', 'a=ice-pwd:', 'm=', 'a=mid:'].map((name) => new RegExp(`^${name}.*`, 'm').exec(sdp)[0].trim());
    return [...head, ...candidates, ''].join('\r\n');
  }

  async function patch(candidates, match) {
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': match };
    const response = await fetch(resource, { method: 'PATCH', headers, body: fragment(candidates) });
    statuses.push(response.status);
    return response;
  }

  // drawing is a picture of our own: the fake camera's size depends on who else uses it. Chromium sends three layers
  // of pictures of 960x540 and more only.
  function drawing() {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [1280, 720];
    const brush = canvas.getContext('2d');
    let at = 0;
    setInterval(() => {
      brush.fillStyle = '#456';
      brush.fillRect(0, 0, canvas.width, canvas.height);
      brush.fillStyle = '#fed';
      brush.fillRect(at = (at + 20) % canvas.width, 0, 100, canvas.height);
    }, 66);
    return canvas.captureStream(15);
  }

  // snow is a picture that takes as much as the encoder may send, however much that is.
  function snow() {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [640, 360];
    const brush = canvas.getContext('2d');
    const size = canvas.width * canvas.height;
    const flakes = Uint32Array.from({ length: 2 * size }, () => 0xff000000 | Math.random() * 0x1000000);
    setInterval(() => {
      const from = Math.floor(Math.random() * size);
      const picture = new Uint8ClampedArray(flakes.buffer, 4 * from, 4 * size);
      brush.putImageData(new ImageData(picture, canvas.width, canvas.height), 0, 0);
    }, 66);
    return canvas.captureStream(15);
  }

  const filmed = () => navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360, frameRate: 25 } });

  async function addSenders({ codec, simulcast, snows }) {
    const media = simulcast ? drawing() : await (snows ? snow() : filmed());
    const sendEncodings = simulcast
      ? [['q', 4], ['h', 2], ['f', 1]].map(([rid, scaleResolutionDownBy]) => ({ rid, scaleResolutionDownBy }))
      : [{}];
    for (const track of media.getTracks()) {
      const wish = track.kind === 'video' ? { sendEncodings } : {};
      const transceiver = connection.addTransceiver(track, { direction: 'sendonly', streams: [media], ...wish });
      if (track.kind === 'video' && codec) {
        prefer(transceiver, `video/${codec}`);
      }
      if (simulcast) {
        await transceiver.sender.setParameters({ ...transceiver.sender.getParameters(), degradationPreference: 'maintain-resolution' });
      }
    }
  }

  function prefer(transceiver, type) {
    const { codecs } = RTCRtpSender.getCapabilities('video');
    transceiver.setCodecPreferences(codecs.filter((c) => c.mimeType.toLowerCase() === type));
  }

  function addReceivers() {
    video = document.body.appendChild(document.createElement('video'));
    video.requestVideoFrameCallback?.(() => { shown ??= performance.now() - click; });
    video.autoplay = video.muted = true;
    video.srcObject = new MediaStream();
    connection.ontrack = ({ track }) => video.srcObject.addTrack(track);
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.addTransceiver('audio', { direction: 'recvonly' });
  }

  // watch measures from now on how long no new picture is shown, and how long the page does not even run.
  function watch() {
    const watched = video;
    Object.assign(pause, { gap: 0, stall: 0, pictureAt: performance.now(), runAt: performance.now() });
    const note = () => {
      if (watched !== video) {
        return;
      }
      pause.gap = Math.max(pause.gap, performance.now() - pause.pictureAt);
      pause.pictureAt = performance.now();
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    setInterval(() => {
      pause.stall = Math.max(pause.stall, performance.now() - pause.runAt);
      pause.runAt = performance.now();
    }, 20);
  }

  const without = (protocol, sdp) => sdp.replace(new RegExp(`a=candidate:\\S+ \\d+ ${protocol} .*\\r\\n`, 'gi'), '');

  // start drops all candidates of a protocol, if it is to: ours and the gateway's. It ends what was started before.
  async function start({ url, role, configuration, drop, ...options }) {
    connection?.close();
    video?.remove();
    [click, shown] = [performance.now(), undefined];
    connection = new RTCPeerConnection(configuration);
    await (role === 'publish' ? addSenders(options) : addReceivers());
    let early = [];
    connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate && candidate.sdpMLineIndex === 0 && candidate.protocol !== drop) {
        const line = `a=${candidate.candidate}`;
        early ? early.push(line) : trickled = Promise.all([trickled, patch([line], etag)]);
      }
    };
    await connection.setLocalDescription();
    const offer = without(drop, connection.localDescription.sdp);
    const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: offer });
    const body = await response.text();
    if (response.status !== 201) {
      return { status: response.status, detail: body };
    }
    resource = new URL(response.headers.get('Location'), response.url).href;
    etag = response.headers.get('ETag');
    answer = without(drop, body);
    links = response.headers.get('Link') ?? '';
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
    const found = early;
    early = null;
    if (found.length) {
      await patch(found, etag);
    }
    return { status: 201, offer, answer };
  }

  const gathered = () => new Promise((resolve) => {
    const look = () => connection.iceGatheringState === 'complete' && resolve();
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });

  // restart makes new ICE credentials on both sides. The answer is the old one with those of the fragment.
  async function restart() {
    await gathered();
    await trickled;
    connection.onicecandidate = null;
    connection.restartIce();
    await connection.setLocalDescription();
    await gathered();
    const response = await patch(candidateLines(), '*');
    const text = await response.text();
    if (response.status !== 200) {
      return { status: response.status, detail: text };
    }
    etag = response.headers.get('ETag');
    const [ufrag, pwd] = ['ufrag', 'pwd'].map((name) => new RegExp(`a=ice-${name}:.*`).exec(text)[0].trim());
    const candidates = (text.match(/a=candidate:.*/g) ?? []).map((line) => line.trim());
    const sdp = answer.replace(/a=ice-ufrag:.*/g, ufrag).replace(/a=ice-pwd:.*/g, pwd)
      .replace(/a=candidate:.*\r\n/g, '').replace(/a=end-of-candidates\r\n/, `${candidates.join('\r\n')}\r\na=end-of-candidates\r\n`);
    await connection.setRemoteDescription({ type: 'answer', sdp });
    return { status: 200, etag, fragment: text };
  }

  // answered is what the browser reports. Firefox may never answer, and a browser that stood still does so late.
  async function answered() {
    for (let tries = 0; tries < 5; tries++) {
      const late = new Promise((resolve) => { setTimeout(resolve, 2_000); });
      const reports = await Promise.race([connection.getStats(), late]);
      if (reports) {
        return reports;
      }
    }
    return new Map();
  }

  const holding = {}; // of each kind: what was counted at the last look

  // held is how long the browser itself has kept what it has played of late, in milliseconds; NaN if it has played
  // nothing. While the machine is busy it may keep the sound for seconds, and shows pictures as they come.
  function held({ id, kind, jitterBufferDelay: seconds, jitterBufferEmittedCount: count }) {
    const known = holding[kind]?.id === id && holding[kind].count <= count;
    const before = known ? holding[kind] : { seconds: 0, count: 0, mean: NaN };
    const mean = count > before.count ? 1_000 * (seconds - before.seconds) / (count - before.count) : before.mean;
    holding[kind] = { id, seconds, count, mean };
    return mean;
  }

  // stats sums up what is sent and how the other side takes it.
  async function stats() {
    const sum = { state: connection.connectionState, ice: connection.iceConnectionState, statuses, layers: {}, pictures: 0, keyframeRequests: 0, bandwidth: 0, reports: 0, decoded: 0, received: 0, sounds: 0, cipher: '', route: '', relay: '', shown, ...pause };
    const came = {}; // of each kind: the source's time of what has just come, to be played later
    const reports = await answered();
    for (const report of reports.values()) {
      if (report.type === 'outbound-rtp' && report.kind === 'video') {
        sum.pictures += report.framesEncoded ?? 0;
        sum.keyframeRequests += (report.pliCount ?? 0) + (report.firCount ?? 0);
        sum.layers[report.rid ?? ''] = [report.frameWidth ?? 0, report.frameHeight ?? 0];
      } else if (report.type === 'remote-inbound-rtp') {
        sum.reports++;
      } else if (report.type === 'candidate-pair' && report.nominated) {
        sum.bandwidth = Math.max(sum.bandwidth, report.availableOutgoingBitrate ?? 0);
      } else if (report.type === 'inbound-rtp') {
        came[report.kind] = report.estimatedPlayoutTimestamp + held(report);
        sum.decoded += report.framesDecoded ?? 0;
        sum.received += report.kind === 'video' ? report.packetsReceived : 0;
        sum.sounds += (report.totalSamplesReceived ?? 0) - (report.concealedSamples ?? 0);
      } else if (report.type === 'transport') {
        const local = reports.get(reports.get(report.selectedCandidatePairId)?.localCandidateId);
        sum.cipher = report.srtpCipher ?? '';
        sum.route = `${local?.candidateType} ${local?.protocol}`;
        sum.relay = local?.relayProtocol ?? '';
      }
    }
    sum.drift = came.video && came.audio ? came.video - came.audio : null;
    return sum;
  }

  const events = []; // that were heard

  // listen orders server-sent events of some kinds and listens to them with EventSource.
  async function listen(kinds) {
    const [, path] = /<([^>]+)>[^<]*server-sent-events/.exec(links);
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(kinds) });
    const source = new EventSource(response.headers.get('Location'));
    kinds.forEach((kind) => source.addEventListener(kind, ({ data }) => events.push({ kind, data: JSON.parse(data) })));
    return response.status;
  }

  // drop stops layers for good; the others go on.
  async function drop(rids) {
    const sender = connection.getSenders().find((s) => s.track?.kind === 'video');
    const parameters = sender.getParameters();
    parameters.encodings.filter(({ rid }) => rids.includes(rid)).forEach((encoding) => { encoding.active = false; });
    await sender.setParameters(parameters);
  }

  async function stop() {
    const response = await fetch(resource, { method: 'DELETE' });
    connection.close();
    return response.status;
  }

  window.sluicePeer = { start, restart, stats, watch, listen, heard: () => events, drop, stop };
})();
