"""An RTSP camera made of gst-rtsp-server: a moving test picture and a tone, encoded when somebody asks for them.

Prints "The camera serves URL" once it listens. Run by Debian's own python3:

    /usr/bin/python3 gst_camera.py --video h264 --audio opus --protocols tcp --auth digest --user u --password p
"""

import argparse
import itertools
import os

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

RATE = 25
PICTURE = f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=176,framerate={RATE}/1"
# Numbered files of JPEG, over and over.
PICTURES = (
    'multifilesrc location="{files}" loop=true start-index=0 stop-index={last}'
    f' caps="image/jpeg,framerate={RATE}/1" ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! clocksync'
)
TONE = "audiotestsrc is-live=true freq=440 volume=0.5 ! audioconvert ! audioresample"

# Encoder and payloader of each codec; {gop} is the distance of keyframes in pictures.
VIDEO = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast bframes={bframes} key-int-max={gop}"
    " threads=1 ! rtph264pay config-interval=-1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop}"
    " option-string=bframes=0:pools=1 ! rtph265pay config-interval=-1",
    "vp8": "vp8enc deadline=1 keyframe-max-dist={gop} threads=1 target-bitrate=300000 ! rtpvp8pay picture-id-mode=2",
    "vp9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist={gop} threads=1 target-bitrate=300000 ! rtpvp9pay",
    "mjpeg": "jpegenc ! rtpjpegpay",
}
AUDIO = {
    "opus": "audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay",
    "pcmu": "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay",
    "pcma": "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay",
    "g722": "audio/x-raw,rate=16000,channels=1 ! avenc_g722 ! rtpg722pay",
    "aac": "audio/x-raw,rate=48000,channels=2 ! avenc_aac ! aacparse ! rtpmp4gpay",
    "mp3": "audio/x-raw,rate=48000,channels=2 ! lamemp3enc ! mpegaudioparse ! rtpmpapay",
    "lpcm": "audio/x-raw,rate=48000,channels=2 ! rtpL16pay",
}
PROTOCOLS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "multicast": GstRtsp.RTSPLowerTrans.UDP_MCAST,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", choices=VIDEO)
    parser.add_argument("--audio", choices=AUDIO)
    parser.add_argument("--pictures", metavar="FOLDER/%%02d.jpg", help="numbered files from 0 instead of the test picture")
    parser.add_argument("--gop", type=int, default=RATE, help="pictures from keyframe to keyframe")
    parser.add_argument("--bframes", type=int, default=0)
    parser.add_argument("--protocols", default="tcp,udp", help="any of tcp, udp, multicast")
    parser.add_argument("--group", default="239.255.77.10", help="multicast address")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--path", default="/live")
    parser.add_argument("--auth", choices=["basic", "digest"])
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--certificate", help="PEM with certificate and key: RTSPS instead of RTSP")
    return parser.parse_args()


def picture(args):
    if not args.pictures:
        return PICTURE
    numbers = itertools.takewhile(lambda n: os.path.exists(args.pictures % n), itertools.count())
    return PICTURES.format(files=args.pictures, last=sum(1 for _ in numbers) - 1)


def launch_line(args):
    parts = []
    if args.video:
        encoder = VIDEO[args.video].format(gop=args.gop, bframes=args.bframes)
        parts.append(f"{picture(args)} ! {encoder} name=pay{len(parts)} pt=96")
    if args.audio:
        static = {"pcmu": 0, "pcma": 8, "g722": 9, "mp3": 14}
        parts.append(f"{TONE} ! {AUDIO[args.audio]} name=pay{len(parts)} pt={static.get(args.audio, 97)}")
    return "( " + " ".join(parts) + " )"


def factory(args):
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(launch_line(args))
    made.set_shared(True)
    lower = GstRtsp.RTSPLowerTrans(0)
    for name in args.protocols.split(","):
        lower |= PROTOCOLS[name]
    made.set_protocols(lower)
    if "multicast" in args.protocols:
        pool = GstRtspServer.RTSPAddressPool()
        pool.add_range(args.group, args.group, 5600, 5699, 4)
        made.set_address_pool(pool)
    return made


def protect(server, made, args):
    """Asks for user and password, or speaks TLS, as the arguments say."""
    auth = GstRtspServer.RTSPAuth()
    if args.certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(args.certificate))
    if args.auth:
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        if args.auth == "basic":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(args.user, args.password), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(args.user, args.password, token)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", "media.factory.access", True)
        permissions.add_permission_for_role("user", "media.factory.construct", True)
        made.set_permissions(permissions)
    else:
        # A server with an auth object lets nobody in who has no token.
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "anonymous")
        auth.set_default_token(token)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("anonymous", "media.factory.access", True)
        permissions.add_permission_for_role("anonymous", "media.factory.construct", True)
        made.set_permissions(permissions)
    server.set_auth(auth)


def main():
    args = arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(args.address)
    server.set_service("0")
    made = factory(args)
    if args.auth or args.certificate:
        protect(server, made, args)
    server.get_mount_points().add_factory(args.path, made)
    if server.attach(None) == 0:
        raise SystemExit("gst_camera: cannot listen")
    scheme = "rtsps" if args.certificate else "rtsp"
    print(f"The camera serves {scheme}://{args.address}:{server.get_bound_port()}{args.path}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
