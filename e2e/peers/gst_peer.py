"""A WHIP publisher or WHEP player made of GStreamer's webrtcbin. Run by Debian's own python3:

    /usr/bin/python3 gst_peer.py publish URL --video h264 --audio opus
    /usr/bin/python3 gst_peer.py play URL [--counter-offer]

It trickles: the offer goes out at once, candidates follow by PATCH. Tells on standard output: offer, answered,
refused, state, patched, counts (each 200 ms: pictures and sound buffers made or decoded, keyframe requests heard),
size, deleted. SIGTERM ends it with DELETE.
"""

import argparse
import os
import queue
import signal
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstVideo, GstWebRTC  # noqa: E402

from signalling import Resource, tell  # noqa: E402

# PyGObject fills a class when it is first looked into, and two threads that do so at once find it half filled: what
# threads want is looked up before there are any.
WANTED = (
    Gst.Buffer, Gst.Caps, Gst.Event, Gst.Pad, Gst.PadProbeInfo, Gst.Promise.new, Gst.State.NULL, Gst.Structure,
    Gst.PadLinkReturn.OK, Gst.StateChangeReturn.SUCCESS, Gst.parse_bin_from_description, GstSdp.SDPMessage.new_from_text,
    GstSdp.SDPResult.OK, GstVideo.video_event_is_force_key_unit, GstWebRTC.WebRTCPeerConnectionState.NEW,
    GstWebRTC.WebRTCSDPType.ANSWER, GstWebRTC.WebRTCSessionDescription.new, GLib.idle_add,
)
BUFFER, EVENT_UPSTREAM, PROBE_OK = Gst.PadProbeType.BUFFER, Gst.PadProbeType.EVENT_UPSTREAM, Gst.PadProbeReturn.OK

PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=176,framerate=25/1"
TONE = "audiotestsrc is-live=true freq=440 volume=0.5 ! audioconvert ! audioresample"
VIDEO = {
    "h264": "x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=250 threads=1"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=96",
    "vp8": "vp8enc name=encoder deadline=1 keyframe-max-dist=250 threads=1 target-bitrate=300000"
    " ! rtpvp8pay picture-id-mode=2 ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
}
AUDIO = {
    "opus": "audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay"
    " ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97",
}
# What a player knows: depayloader and decoder of each encoding name.
DECODERS = {
    "H264": "rtph264depay ! h264parse ! avdec_h264",
    "VP8": "rtpvp8depay ! vp8dec",
    "OPUS": "rtpopusdepay ! opusdec",
}
WISHES = (
    "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
)
H264_WISH = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000"
    ",packetization-mode=(string)1,profile-level-id=(string)42e01f"
)


class Peer:
    def __init__(self, args):
        self.resource = Resource(args.url)
        self.loop = GLib.MainLoop()
        self.counts = {"pictures": 0, "sounds": 0, "keyframe_requests": 0}
        self.candidates = queue.Queue()  # found, not told yet
        self.pipeline = Gst.Pipeline()
        self.pipeline.add(Gst.parse_bin_from_description(pipeline(args), False))
        self.webrtc = self.pipeline.get_by_name("webrtc")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        # By itself it looks for addresses on other interfaces only. The binding takes the agent's only reference.
        self.ice = self.webrtc.get_property("ice-agent")
        self.ice.emit("add-local-ip-address", "127.0.0.1")
        self.webrtc.connect("notify::connection-state", self.tell_state)
        self.webrtc.connect("on-ice-candidate", lambda _, section, text: self.candidates.put((section, text)))
        if args.role == "publish":
            self.count_encoder()
        else:
            self.webrtc.connect("pad-added", self.decode)

    # What goes out.

    def count_encoder(self):
        """Counts the pictures that leave the encoder, and the keyframes that are asked of it."""

        def probe(_, info):
            if info.type & EVENT_UPSTREAM:
                self.counts["keyframe_requests"] += GstVideo.video_event_is_force_key_unit(info.get_event())
            else:
                self.counts["pictures"] += 1
            return PROBE_OK

        encoder = self.pipeline.get_by_name("encoder")
        if encoder:
            kinds = BUFFER | EVENT_UPSTREAM
            encoder.get_static_pad("src").add_probe(kinds, probe)

    # What comes in.

    def decode(self, _, pad):
        caps = pad.get_current_caps().get_structure(0)
        chain = DECODERS[caps.get_string("encoding-name")]
        sink = Gst.parse_bin_from_description(f"{chain} ! fakesink name=end sync=false", True)
        kind = "pictures" if caps.get_string("media") == "video" else "sounds"
        sink.get_by_name("end").get_static_pad("sink").add_probe(BUFFER, self.count(kind))
        self.webrtc.get_parent().add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def count(self, kind):
        size = ()

        def probe(pad, _):
            nonlocal size
            self.counts[kind] += 1
            shape = pad.get_current_caps().get_structure(0)
            seen = (shape.get_value("width"), shape.get_value("height")) if kind == "pictures" else ()
            if seen != size:
                size = seen
                tell("size", width=size[0], height=size[1])
            return PROBE_OK

        return probe

    # Signalling. HTTP is done in a thread of its own, as GStreamer's threads must not wait.

    def offer(self):
        promise = Gst.Promise.new_with_change_func(self.post, None)
        self.webrtc.emit("create-offer", None, promise)

    def post(self, promise, _):
        reply = promise.get_reply()  # owns the description
        offer = reply.get_value("offer")
        sdp = offer.sdp.as_text()
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())
        tell("offer", sdp=sdp)
        threading.Thread(target=self.exchange, args=(sdp,), daemon=True).start()

    def exchange(self, sdp):
        try:
            answer = self.resource.post(sdp)
        except SystemExit:
            GLib.idle_add(self.loop.quit)
            return
        self.webrtc.emit("set-remote-description", description(GstWebRTC.WebRTCSDPType.ANSWER, answer), Gst.Promise.new())
        self.feed_candidates(answer)
        self.trickle(sdp)

    def counter(self):
        """Takes the server's offer and answers it."""
        offer = self.resource.counter_offer()
        done = Gst.Promise.new()
        self.webrtc.emit("set-remote-description", description(GstWebRTC.WebRTCSDPType.OFFER, offer), done)
        done.wait()
        self.feed_candidates(offer)
        made = Gst.Promise.new()
        self.webrtc.emit("create-answer", None, made)
        made.wait()
        reply = made.get_reply()
        answer = reply.get_value("answer")
        sdp = answer.sdp.as_text()
        self.webrtc.emit("set-local-description", answer, Gst.Promise.new())
        self.resource.answer(sdp)
        self.trickle(sdp)

    def feed_candidates(self, sdp):
        """webrtcbin takes candidates one by one only."""
        for line in sdp.splitlines():
            if line.startswith("a=candidate:"):
                self.webrtc.emit("add-ice-candidate", 0, line[2:])

    def trickle(self, sdp):
        """Tells the server of each candidate of the first section, as long as the program runs."""
        named = ("a=ice-ufrag:", "a=ice-pwd:", "m=", "a=mid:")
        lines = [next(line for line in sdp.splitlines() if line.startswith(name)) for name in named]
        while True:
            index, candidate = self.candidates.get()
            if index == 0 and candidate:
                self.resource.trickle("\r\n".join([*lines, f"a={candidate}", ""]))

    # The course of things.

    def tell_state(self, *_):
        tell("state", state=self.webrtc.get_property("connection-state").value_nick)

    def tell_counts(self):
        tell("counts", **self.counts)
        return True

    def run(self, args):
        for number in (signal.SIGTERM, signal.SIGINT):
            GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, self.loop.quit)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, m: tell("error", detail=str(m.parse_error())))
        GLib.timeout_add(200, self.tell_counts)
        if args.role == "publish":
            self.webrtc.connect("on-negotiation-needed", lambda _: self.offer())
        self.pipeline.set_state(Gst.State.PLAYING)
        if args.counter_offer:
            threading.Thread(target=self.counter, daemon=True).start()
        elif args.role == "play":
            for wish in (H264_WISH if args.video == "h264" else WISHES[0], WISHES[1]):
                caps = Gst.Caps.from_string(wish)
                self.webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
            self.offer()
        self.loop.run()
        self.resource.delete()
        self.pipeline.set_state(Gst.State.NULL)


def description(kind, text):
    _, message = GstSdp.SDPMessage.new_from_text(text)
    return GstWebRTC.WebRTCSessionDescription.new(kind, message)


def pipeline(args):
    parts = ["webrtcbin name=webrtc"]
    if args.role == "publish" and args.video:
        parts.append(f"{PICTURE} ! {VIDEO[args.video]} ! webrtc.")
    if args.role == "publish" and args.audio:
        parts.append(f"{TONE} ! {AUDIO[args.audio]} ! webrtc.")
    return " ".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("role", choices=["publish", "play"])
    parser.add_argument("url")
    parser.add_argument("--video", choices=VIDEO)
    parser.add_argument("--audio", choices=AUDIO)
    parser.add_argument("--counter-offer", action="store_true")
    args = parser.parse_args()
    Gst.init(None)
    Peer(args).run(args)
    os._exit(0)  # a thread of GStreamer's may still call into Python, which must not be gone


if __name__ == "__main__":
    main()
