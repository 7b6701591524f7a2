package rtsp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	gsdp "github.com/bluenviron/gortsplib/v4/pkg/sdp"

	"sluice/internal/testcamera"
	"sluice/media"
)

const baseURL = "rtsp://192.0.2.1/stream/"

// head and sections of descriptions that are put together below.
const (
	sdpHead  = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	h264Line = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
	sps      = "Z0LAKNkAeAIn5YQAAAMABAAAAwDwPGDJIA=="
	pps      = "aMuDyyA="
	annexB   = "AAAAAWdCwCjZAHgCJ+WEAAADAAQAAAMA8DxgySA="
	vps      = "QAEMAf//AWAAAAMAkAAAAwAAAwB4mZgJ"
	sps265   = "QgEBAWAAAAMAkAAAAwAAAwB4oAPAgBDlltm5lUk="
	pps265   = "RAHBc9Ek"
)

// summary is the tracks of an offer in one line each.
func summary(tracks []media.Track) string {
	var b strings.Builder
	for _, t := range tracks {
		fmt.Fprintf(&b, "%s %s", t.ID, t.Codec)
		if t.Skipped != "" {
			fmt.Fprintf(&b, " skipped: %s\n", t.Skipped)
			continue
		}
		fmt.Fprintf(&b, " %d", t.ClockRate)
		if t.Kind == media.Audio {
			fmt.Fprintf(&b, "/%d", t.Channels)
		}
		if len(t.ParameterSets) > 0 {
			fmt.Fprintf(&b, " sets=%d", len(t.ParameterSets))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// accepted checks that the engine takes what it is given, with as many sections.
func accepted(t *testing.T, o *offer) {
	t.Helper()
	var s gsdp.SessionDescription
	var d description.Session
	if err := s.Unmarshal(o.sdp); err != nil {
		t.Fatalf("the engine refuses %q: %v", o.sdp, err)
	}
	if err := d.Unmarshal(&s); err != nil {
		t.Fatalf("the engine refuses %q: %v", o.sdp, err)
	}
	if len(d.Medias) != len(o.carried) {
		t.Fatalf("the engine sees %d sections, want %d", len(d.Medias), len(o.carried))
	}
	for i, m := range d.Medias {
		if int(m.Formats[0].PayloadType()) != o.carried[i].payloadType || m.IsBackChannel {
			t.Errorf("the engine sees %+v, want payload type %d", m, o.carried[i].payloadType)
		}
	}
}

func TestRepairSDP(t *testing.T) {
	for name, c := range map[string]struct{ sdp, want string }{
		"tidy":                                 {testcamera.H264, "video h264 90000 sets=2"},
		"E30 several s=, bad c=, no t= nor o=": {"v=0\r\ns=a\r\ns=b\r\nc=IN\r\nc=x y z\r\n" + h264Line, "video h264 90000"},
		"E30 blank lines, no last newline":     {"\r\nv=0\r\n\r\n\r\nm=video 0 RTP/AVP 96\r\n\r\na=rtpmap:96 H264/90000", "video h264 90000"},
		"E30 lone CR":                          {"v=0\rm=video 0 RTP/AVP 96\ra=rtpmap:96 H264/90000\r", "video h264 90000"},
		"E30 private section": {
			sdpHead + "m=application/TP-LINK 0 RTP/AVP smart/1/90000\r\na=rtpmap:95 TP-LINK/90000\r\n" + h264Line,
			"data tp-link skipped: the codec TP-LINK is not carried\nvideo h264 90000",
		},
		"E30 m= without formats":         {sdpHead + "m=video 0 RTP/AVP/TCP\r\na=rtpmap:96 H264/90000\r\n", "video h264 90000"},
		"E30 garbage lines":              {sdpHead + "garbage\r\n=\r\na\r\na=\r\nq=0\r\n" + h264Line + "a=rtpmap\r\nb=AS\r\n", "video h264 90000"},
		"E31 fmtp in another section":    {sdpHead + h264Line + "m=audio 0 RTP/AVP 0\r\na=fmtp:96 sprop-parameter-sets=" + sps + "," + pps + "\r\n", "video h264 90000 sets=2\naudio pcmu 8000/1"},
		"E31 fmtp of the session":        {sdpHead + "a=fmtp:96 sprop-parameter-sets=" + sps + "," + pps + "\r\n" + h264Line, "video h264 90000 sets=2"},
		"E31 start codes":                {sdpHead + h264Line + "a=fmtp:96 sprop-parameter-sets=" + annexB + "," + pps + "\r\n", "video h264 90000 sets=2"},
		"E31 swapped":                    {sdpHead + h264Line + "a=fmtp:96 sprop-parameter-sets=" + pps + "," + sps + "\r\n", "video h264 90000 sets=2"},
		"E31 no padding":                 {sdpHead + h264Line + "a=fmtp:96 sprop-parameter-sets=" + strings.TrimRight(sps, "=") + "," + strings.TrimRight(pps, "=") + "\r\n", "video h264 90000 sets=2"},
		"E31 truncated":                  {sdpHead + h264Line + "a=fmtp:96 sprop-parameter-sets=" + sps + ",aMu*\r\n", "video h264 90000"},
		"E31 one missing":                {sdpHead + h264Line + "a=fmtp:96 packetization-mode=x;sprop-parameter-sets=" + sps + "\r\n", "video h264 90000"},
		"E31 wrong profile and clock":    {sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 h264/1\r\na=fmtp:96 profile-level-id=zz\r\n", "video h264 90000"},
		"E31 H265 with all sets":         {sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps=" + vps + ";sprop-sps=" + sps265 + "; sprop-pps=" + pps265 + "\r\n", "video h265 90000 sets=3"},
		"E31 H265 with some sets":        {sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps=" + vps + ";sprop-sps=" + sps265 + "\r\n", "video h265 90000"},
		"E32 Opus mono":                  {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/16000/1\r\n", "audio opus 48000/2"},
		"E32 AAC":                        {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;config=1408;sizeLength=13;indexLength=3;indexDeltaLength=3\r\n", "audio aac 16000/1 sets=1"},
		"E32 AAC without config":         {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/16000/1\r\n", "audio aac 16000/1 sets=1"},
		"E32 AAC of 0 Hz":                {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic\r\na=fmtp:97 config=178000000800\r\n", "audio aac 44100/1 sets=1"},
		"E32 AAC with a bad config":      {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/44100/2\r\na=fmtp:97 config=zz\r\n", "audio aac 44100/2 sets=1"},
		"LATM":                           {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/90000\r\na=fmtp:97 cpresent=1\r\n", "audio aac 90000/1"},
		"E32 no rtpmap":                  {sdpHead + h264Line + "m=audio 0 RTP/AVP 97\r\nb=AS:64\r\n", "video h264 90000\naudio  skipped: the camera does not say how payload type 97 is coded"},
		"E32 no rtpmap, but H264 sets":   {sdpHead + "m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-parameter-sets=" + sps + "," + pps + "\r\n", "video h264 90000 sets=2"},
		"E32 static types":               {sdpHead + "m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 26\r\nm=audio 0 RTP/AVP 9\r\nm=audio 0 RTP/AVP 10\r\nm=audio 0 RTP/AVP 14\r\n", "audio pcma 8000/1\nvideo mjpeg 90000\naudio2 g722 8000/1\naudio3 lpcm 44100/2\naudio4 mp3 90000/0"},
		"MPEG audio":                     {sdpHead + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPA/90000/2\r\nm=audio 0 RTP/AVP 98\r\na=rtpmap:98 mpa\r\nm=audio 0 RTP/AVP 99\r\na=rtpmap:99 mpa-robust/90000\r\n", "audio mp3 90000/2\naudio2 mp3 90000/0\naudio3 mpa-robust skipped: the codec mpa-robust is not carried"},
		"E33 the main audio is sendonly": {sdpHead + "m=video 0 RTP/AVP 26\r\na=sendonly\r\nm=audio 0 RTP/AVP 0\r\na=sendonly\r\n", "video mjpeg 90000\naudio pcmu 8000/1"},
		"E33 a back channel": {
			sdpHead + "m=audio 0 RTP/AVP 0\r\na=recvonly\r\nm=audio 0 RTP/AVP 8\r\na=sendonly\r\n",
			"audio pcmu 8000/1\naudio2  skipped: it leads to the camera's loudspeaker, not from its microphone",
		},
		"E34 metadata": {
			sdpHead + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n" + h264Line,
			"data vnd.onvif.metadata skipped: ONVIF metadata is not carried\nvideo h264 90000",
		},
		"E34 private audio": {
			sdpHead + h264Line + "m=audio 0 RTP/AVP 104\r\na=rtpmap:104 mpeg4-secret/8000\r\n",
			"video h264 90000\naudio mpeg4-secret skipped: the codec mpeg4-secret is not carried",
		},
		"duplicate and missing mids": {sdpHead + h264Line + "a=mid:0\r\nm=audio 0 RTP/AVP 0\r\na=mid:0\r\nm=audio 0 RTP/AVP 8\r\n", "video h264 90000\naudio pcmu 8000/1\naudio2 pcma 8000/1"},
		"all other codecs": {
			sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 VP9/90000\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 AV1/90000\r\n" +
				"m=video 0 RTP/AVP 99\r\na=rtpmap:99 MP4V-ES/90000\r\na=fmtp:99 config=000001B001000001B5\r\nm=audio 0 RTP/AVP 100\r\na=rtpmap:100 L16/16000\r\nm=audio 0 RTP/AVP 101\r\na=rtpmap:101 G722/8000\r\n",
			"video vp8 90000\nvideo2 vp9 90000\nvideo3 av1 90000\nvideo4 mpeg4 90000 sets=1\naudio lpcm 16000/1\naudio2 g722 8000/1",
		},
		"the first that is carried": {sdpHead + "m=audio 0 RTP/AVP 97 0 98\r\na=rtpmap:97 G726-32/8000\r\na=rtpmap:98 opus/48000/2\r\n", "audio pcmu 8000/1"},
		"damaged control":           {sdpHead + h264Line + "m=audio 0 RTP/AVP 0\r\na=control:track 1\x01%zz\r\n", "video h264 90000\naudio pcmu skipped: its control URL is damaged"},
		"J147 H265 and AAC":         {sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/2\r\n", "video h265 90000\naudio aac 48000/2 sets=1"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := repairSDP([]byte(c.sdp), baseURL)
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(o.tracks); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			accepted(t, o)
		})
	}
}

// J136
func TestManyTracksAreCapped(t *testing.T) {
	o, err := repairSDP([]byte(sdpHead+strings.Repeat(h264Line, 500)), baseURL)
	if err != nil || len(o.tracks) != maxSections {
		t.Fatalf("%v with %d tracks, want %d", err, len(o.tracks), maxSections)
	}
	accepted(t, o)
}

// E32
func TestOnlyPayloadType(t *testing.T) {
	for sdp, want := range map[string]bool{
		"m=audio 0 RTP/AVP 0\r\n":      true,
		"m=audio 0 RTP/AVP 0 0\r\n":    true,
		"m=audio 0 RTP/AVP 0 101\r\n":  false,
		"m=audio 0 RTP/AVP 0 8 97\r\n": false,
	} {
		o, err := repairSDP([]byte(sdp), baseURL)
		if err != nil || o.carried[0].only != want {
			t.Errorf("%q: only is %v (%v), want %v", sdp, !want, err, want)
		}
	}
}

// E30: the URL that each control attribute leads to, as the engine asks for it.
func TestControls(t *testing.T) {
	for name, c := range map[string]struct{ contentBase, session, control, want string }{
		"relative":               {"rtsp://192.0.2.1/s/", "", "trackID=1", "rtsp://192.0.2.1/s/trackID=1"},
		"no slash at the end":    {"rtsp://192.0.2.1/s", "*", "trackID=1", "rtsp://192.0.2.1/s/trackID=1"},
		"after the query":        {"rtsp://192.0.2.1/s?channel=1", "", "trackID=1", "rtsp://192.0.2.1/s?channel=1/trackID=1"},
		"leading slash":          {"rtsp://192.0.2.1/s", "", "/trackID=1", "rtsp://192.0.2.1/s/trackID=1"},
		"two slashes":            {"rtsp://192.0.2.1/s/", "", "/trackID=1", "rtsp://192.0.2.1/s/trackID=1"},
		"question mark":          {"rtsp://192.0.2.1/s", "", "?track=1", "rtsp://192.0.2.1/s?track=1"},
		"star":                   {"rtsp://192.0.2.1/s/", "*", "*", "rtsp://192.0.2.1/s/"},
		"none":                   {"rtsp://192.0.2.1/s/", "", "", "rtsp://192.0.2.1/s/"},
		"absolute":               {"rtsp://192.0.2.1/s/", "", "rtsp://192.0.2.1/s/a?b=c", "rtsp://192.0.2.1/s/a?b=c"},
		"absolute, other host":   {"rtsp://192.0.2.1/s/", "", "RTSP://10.0.0.9:8554/s/a", "rtsp://192.0.2.1/s/a"},
		"session":                {"", "rtsp://10.0.0.9/x/", "t", "rtsp://192.0.2.1/x/t"},
		"no Content-Base":        {"", "", "t", "rtsp://192.0.2.1/request/t"},
		"Content-Base is a path": {"/x/", "", "t", "rtsp://192.0.2.1/x/t"},
		"scheme twice":           {"rtsp://rtsp://10.0.0.9/x/", "", "t", "rtsp://192.0.2.1/x/t"},
		"unbracketed IPv6":       {"rtsp://::ffff:1.2.3.4/x/", "", "t", "rtsp://192.0.2.1/x/t"},
		"no scheme":              {"10.0.0.9:554/x/", "", "t", "rtsp://192.0.2.1/x/t"},
		"host only":              {"rtsp://10.0.0.9", "", "t", "rtsp://192.0.2.1/t"},
		"bad escape":             {"rtsp://10.0.0.9/%zz/", "", "t", "rtsp://192.0.2.1/request/t"},
		"URL in a query":         {"rtsp://10.0.0.9/x?u=rtsp://y/z", "", "t", "rtsp://192.0.2.1/x?u=rtsp://y/z/t"},
	} {
		t.Run(name, func(t *testing.T) {
			sdp := "v=0\r\na=control:" + c.session + "\r\n" + h264Line + "a=control:" + c.control + "\r\n"
			o, err := repairSDP([]byte(sdp), repairBase(c.contentBase, "rtsp://192.0.2.1/request"))
			if err != nil {
				t.Fatal(err)
			}
			if want := "m=video 0 RTP/AVP 96\r\na=control:" + c.want + "\r\n"; !bytes.Contains(o.sdp, []byte(want)) {
				t.Errorf("got %q, want %s", o.sdp, c.want)
			}
			accepted(t, o)
		})
	}
}

// TestVendorSDP is a table of descriptions in the shape that vendors give them, with the tracks that are to come of them.
func TestVendorSDP(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sdp")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			sdp, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".sdp") + ".tracks")
			if err != nil {
				t.Fatal(err)
			}
			o, err := repairSDP(sdp, baseURL)
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(o.tracks); got != strings.TrimSpace(string(want)) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			accepted(t, o)
		})
	}
}

func FuzzRepairSDP(f *testing.F) {
	f.Add([]byte(testcamera.H264+testcamera.PCMU), baseURL)
	f.Add([]byte("m=video 0 RTP/SAVP 96\na=key-mgmt:mikey x\na=fmtp:96 sprop-parameter-sets=,;;=\na=control:?"), "rtsp://h")
	f.Add([]byte(sdpHead+"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/0/99\r\na=fmtp:97 config=1408\r\n"), "rtsp://h/a?b")
	f.Fuzz(func(t *testing.T, sdp []byte, contentBase string) {
		o, err := repairSDP(sdp, repairBase(contentBase, "rtsp://192.0.2.1/request"))
		if err != nil {
			if !errors.As(err, new(*NoMediaError)) {
				t.Errorf("unexpected error %v", err)
			}
			return
		}
		if bytes.Contains(o.sdp, []byte("a=key-mgmt")) {
			return // the engine judges keys itself
		}
		accepted(t, o)
	})
}
