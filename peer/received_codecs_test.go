package peer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// newCodecPublisher is a publisher of one track of one codec, which its offer names alone.
func newCodecPublisher(t *testing.T, c webrtc.RTPCodecParameters) (*publisher, *webrtc.TrackLocalStaticRTP) {
	t.Helper()
	kind := webrtc.RTPCodecTypeVideo
	if strings.HasPrefix(c.MimeType, "audio/") {
		kind = webrtc.RTPCodecTypeAudio
	}
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterCodec(c, kind); err != nil {
		t.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(onlyLoopback)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(codecs),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	p := &publisher{PeerConnection: pc}
	track, err := webrtc.NewTrackLocalStaticRTP(c.RTPCodecCapability, "track", "s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	return p, track
}

// A50, A51, F38: every codec that is taken of a publisher, as the track that the sink is told of, and as units.
func TestReceivedCodecs(t *testing.T) {
	h264SPS := []byte{0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0f, 0x23, 0xc6, 0x0c, 0xa8}
	h264PPS, h264IDR := []byte{0x68, 0xce, 0x3c, 0x80}, []byte{0x65, 0x88, 0x84, 0x00, 0x10}
	h265VPS := []byte{0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x5d, 0x95, 0x98, 0x09}
	h265SPS := []byte{0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x5d, 0xa0, 0x02, 0x80, 0x80, 0x2d, 0x16, 0x59, 0x59, 0xa4, 0x93, 0x2b, 0xc0, 0x40, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x07, 0x82}
	h265PPS, h265IDR := []byte{0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40}, []byte{0x26, 0x01, 0xaf, 0x08, 0x10}
	av1Sequence := []byte{0x0a, 0x0b, 0x00, 0x00, 0x00, 0x42, 0xa7, 0xbf, 0xe4, 0x60, 0x0d, 0x00, 0x40}
	opusFrame := []byte{0xf8, 0xff, 0xfe}
	for name, c := range map[string]struct {
		mime, fmtp string
		clock      uint32
		channels   uint16
		payload    webrtc.PayloadType
		change     *strings.Replacer // of the offer
		unit       [][]byte          // the payloads of one unit that can be decoded by itself
		want       media.Track
	}{
		"H264 in mode 1": {
			webrtc.MimeTypeH264, "packetization-mode=1;profile-level-id=42e01f", 90000, 0, 96, nil,
			[][]byte{h264SPS, h264PPS, h264IDR},
			media.Track{Codec: media.H264, ClockRate: 90000},
		},
		"H264 in mode 0": {
			webrtc.MimeTypeH264, "packetization-mode=0;profile-level-id=42e01f", 90000, 0, 96, nil,
			[][]byte{h264SPS, h264PPS, h264IDR},
			media.Track{Codec: media.H264, ClockRate: 90000},
		},
		"H265": {
			webrtc.MimeTypeH265, "", 90000, 0, 96, nil,
			[][]byte{h265VPS, h265SPS, h265PPS, h265IDR},
			media.Track{Codec: media.H265, ClockRate: 90000},
		},
		"VP8": {
			webrtc.MimeTypeVP8, "", 90000, 0, 96, nil,
			[][]byte{vp8Packet(0, 0, true).Payload},
			media.Track{Codec: media.VP8, ClockRate: 90000},
		},
		"VP9": {
			webrtc.MimeTypeVP9, "profile-id=0", 90000, 0, 98, nil,
			[][]byte{{0x8c, 0x81, 0x23, 0x82, 0x49, 0x83, 0x42, 0x00, 0x00, 0xf0, 0x00, 0xf6, 0, 0, 0, 0}},
			media.Track{Codec: media.VP9, ClockRate: 90000},
		},
		"AV1": {
			webrtc.MimeTypeAV1, "profile=0", 90000, 0, 45, nil,
			[][]byte{append(append([]byte{0x28, byte(len(av1Sequence) - 1), 0x08}, av1Sequence[2:]...), 0x30, 0x10, 0x00, 0x00)},
			media.Track{Codec: media.AV1, ClockRate: 90000},
		},
		"Opus": {
			webrtc.MimeTypeOpus, "minptime=10;useinbandfec=1", 48000, 2, 111, nil,
			[][]byte{opusFrame},
			media.Track{Codec: media.Opus, ClockRate: 48000, Channels: 2},
		},
		"Opus of six channels": {
			webrtc.MimeTypeOpus, "minptime=10", 48000, 2, 111,
			strings.NewReplacer("opus/48000/2", "multiopus/48000/6", "a=fmtp:111 minptime=10", "a=fmtp:111 channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4"),
			[][]byte{opusFrame},
			media.Track{Codec: media.Opus, ClockRate: 48000, Channels: 6},
		},
		"G722": {
			webrtc.MimeTypeG722, "", 8000, 0, 9, nil,
			[][]byte{make([]byte, 160)},
			media.Track{Codec: media.G722, ClockRate: 8000, Channels: 1},
		},
		"PCMU": {
			webrtc.MimeTypePCMU, "", 8000, 0, 0, nil,
			[][]byte{make([]byte, 160)},
			media.Track{Codec: media.PCMU, ClockRate: 8000, Channels: 1},
		},
		"PCMA": {
			webrtc.MimeTypePCMA, "", 8000, 0, 8, nil,
			[][]byte{make([]byte, 160)},
			media.Track{Codec: media.PCMA, ClockRate: 8000, Channels: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, g := newEngine(t, Options{}), newGathering()
			p, track := newCodecPublisher(t, webrtc.RTPCodecParameters{PayloadType: c.payload, RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: c.mime, ClockRate: c.clock, Channels: c.channels, SDPFmtpLine: c.fmtp,
			}})
			sdp, back := p.offer(t), strings.NewReplacer("multiopus/48000/6", "opus/48000/2", "channel_mapping=0,4,1,2,3,5;coupled_streams=2;num_streams=4", "minptime=10")
			if c.change != nil {
				sdp = c.change.Replace(sdp)
			}
			r := receive(t, e, sdp)
			ended := run(t, r, g)
			p.accept(t, back.Replace(r.Description()))
			await(t, r.Connected(), "connected")
			kind := "/" + strings.ToLower(c.mime[:5])
			seq, tick, end := uint16(0), time.NewTicker(20*time.Millisecond), time.After(patience)
			defer tick.Stop()
			for timestamp := uint32(0); g.count(kind) < 3; timestamp += c.clock / 50 {
				for i, payload := range c.unit {
					_ = track.WriteRTP(&rtp.Packet{
						Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: timestamp, Marker: i == len(c.unit)-1},
						Payload: bytes.Clone(payload),
					})
					seq++
				}
				select {
				case <-tick.C:
				case err := <-ended:
					t.Fatalf("over: %v", err)
				case <-end:
					t.Fatalf("no unit came; %+v\n%s", r.Stats(), r.Description())
				}
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			got := g.tracks[kind]
			if got.Codec != c.want.Codec || got.ClockRate != c.want.ClockRate || got.Channels != c.want.Channels {
				t.Errorf("the track is %+v, want %+v", got, c.want)
			}
		})
	}
}
