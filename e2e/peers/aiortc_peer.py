"""A WHIP publisher or WHEP player made of aiortc. Run by Debian's own python3:

    /usr/bin/python3 aiortc_peer.py publish URL --video vp8 --audio opus
    /usr/bin/python3 aiortc_peer.py play URL

It does not trickle: all candidates are in the offer. Tells on standard output: offer, answered, refused, state,
counts (each 200 ms: pictures and sounds made or decoded, keyframe requests heard), size, deleted. SIGTERM ends it
with DELETE.
"""

import argparse
import asyncio
import fractions
import signal
import sys

import av
import numpy
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack

from signalling import Resource, tell

WIDTH, HEIGHT, RATE = 320, 180, 25
counts = {"pictures": 0, "sounds": 0, "keyframe_requests": 0}


class Picture(VideoStreamTrack):
    """A bar that wanders over grey."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        shade = numpy.full((HEIGHT * 3 // 2, WIDTH), 128, dtype=numpy.uint8)
        at = 4 * counts["pictures"] % (WIDTH - 40)
        shade[:HEIGHT, at : at + 40] = 235
        frame = av.VideoFrame.from_ndarray(shade, format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        counts["pictures"] += 1
        return frame


class Tone(AudioStreamTrack):
    """440 Hz at half of full scale."""

    phase = 0

    async def recv(self):
        silent = await super().recv()
        times = (self.phase + numpy.arange(silent.samples)) / silent.sample_rate
        self.phase += silent.samples
        wave = (16000 * numpy.sin(2 * numpy.pi * 440 * times)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = silent.sample_rate, silent.pts
        frame.time_base = fractions.Fraction(1, silent.sample_rate)
        counts["sounds"] += 1
        return frame


def publish(connection, args):
    if args.audio:
        connection.addTrack(Tone())
    if args.video:
        sender = connection.addTrack(Picture())
        heed = sender._send_keyframe

        def count():
            counts["keyframe_requests"] += 1
            heed()

        sender._send_keyframe = count
        wanted = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() == f"video/{args.video}"]
        connection.getTransceivers()[-1].setCodecPreferences(wanted)


def play(connection):
    connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver("audio", direction="recvonly")

    @connection.on("track")
    def decode(track):
        asyncio.ensure_future(count_frames(track))


async def count_frames(track):
    size = ()
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        counts["pictures" if track.kind == "video" else "sounds"] += 1
        if track.kind == "video" and size != (frame.width, frame.height):
            size = (frame.width, frame.height)
            tell("size", width=size[0], height=size[1])


async def run(args):
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    connection = RTCPeerConnection()
    connection.on("connectionstatechange", lambda: tell("state", state=connection.connectionState))
    publish(connection, args) if args.role == "publish" else play(connection)
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    tell("offer", sdp=offer)

    resource = Resource(args.url)
    answer = await loop.run_in_executor(None, resource.post, offer)
    await connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
    while not stopped.is_set():
        tell("counts", **counts)
        try:
            await asyncio.wait_for(stopped.wait(), 0.2)
        except asyncio.TimeoutError:
            pass
    await loop.run_in_executor(None, resource.delete)
    await connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("role", choices=["publish", "play"])
    parser.add_argument("url")
    parser.add_argument("--video", choices=["h264", "vp8"])
    parser.add_argument("--audio", choices=["opus"])
    try:
        asyncio.run(run(parser.parse_args()))
    except SystemExit as refused:
        sys.exit(refused.code)


if __name__ == "__main__":
    main()
