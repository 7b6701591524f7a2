package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"sluice/media"
)

var messages = map[string]Message{
	"ping":            {Type: TypePing},
	"frame":           {Type: TypeFrame, Track: 1, Flags: Keyframe | Preroll, PTS: 1 << 40, DTS: -5, Ext: 33_333_333, Payload: []byte("picture")},
	"extremes":        {Type: 255, Track: 255, Flags: 0xffff, PTS: -1 << 63, DTS: 1<<63 - 1, Ext: -1, Payload: []byte{0}},
	"bitrate":         {Type: TypeBitrate, Track: 2, Ext: 500_000},
	"job":             *JSON(TypeConfig, Job{Role: RoleTranscode, Pipeline: "appsrc name=in ! fakesink", Inputs: []Port{{Name: "in", Kind: media.Video, Codec: media.H264}}}),
	"larger than one": {Type: TypeFrame, Payload: bytes.Repeat([]byte("0123456789"), 20_000)},
}

func TestMessagesComeOutAsTheyWentIn(t *testing.T) {
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := NewWriter(&b).Write(&m); err != nil {
				t.Fatal(err)
			}
			for how, r := range map[string]io.Reader{"whole": bytes.NewReader(b.Bytes()), "by the byte": iotest.OneByteReader(bytes.NewReader(b.Bytes()))} {
				reader := NewReader(r)
				got, err := reader.Next()
				if err != nil || !reflect.DeepEqual(got, m) {
					t.Errorf("%s: %+v, %v; want %+v", how, got, err, m)
				}
				if _, err := reader.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("%s: after the last message: %v, want EOF", how, err)
				}
			}
		})
	}
}

func TestHeaderIsWrittenDown(t *testing.T) {
	var b bytes.Buffer
	m := Message{Type: TypeFrame, Track: 2, Flags: Preroll, PTS: 3, DTS: 4, Ext: 5, Payload: []byte{9}}
	if err := NewWriter(&b).Write(&m); err != nil {
		t.Fatal(err)
	}
	want := []byte{1, 0, 0, 0, 5, 2, 4, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%x, want %x", b.Bytes(), want)
	}
}

func TestPartsFollowThePayload(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for range 2 { // the second must not hold what the first left
		if err := w.Write(&Message{Type: TypeFrame, Payload: []byte("a")}, []byte("b"), nil, []byte("c")); err != nil {
			t.Fatal(err)
		}
	}
	r := NewReader(&b)
	for range 2 {
		if m, err := r.Next(); err != nil || string(m.Payload) != "abc" {
			t.Errorf("%q, %v", m.Payload, err)
		}
	}
}

func TestWhatReaderRefuses(t *testing.T) {
	var whole bytes.Buffer
	frame := messages["frame"]
	if err := NewWriter(&whole).Write(&frame); err != nil {
		t.Fatal(err)
	}
	large := bytes.Clone(whole.Bytes())
	large[3] = 0x7f
	var tooLarge *TooLargeError
	for name, c := range map[string]struct {
		in []byte
		ok func(error) bool
	}{
		"nothing":           {nil, func(err error) bool { return errors.Is(err, io.EOF) }},
		"header cut short":  {whole.Bytes()[:HeaderSize-1], func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"payload missing":   {whole.Bytes()[:HeaderSize], func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"payload cut short": {whole.Bytes()[:whole.Len()-1], func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"too large":         {large, func(err error) bool { return errors.As(err, &tooLarge) && tooLarge.Size > MaxPayload }},
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := NewReader(bytes.NewReader(c.in)).Next(); !c.ok(err) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestWriterRefusesWhatNoReaderTakes(t *testing.T) {
	var b bytes.Buffer
	half := make([]byte, MaxPayload/2+1)
	err := NewWriter(&b).Write(&Message{Payload: half}, half)
	if tooLarge := (*TooLargeError)(nil); !errors.As(err, &tooLarge) || b.Len() > 0 {
		t.Errorf("%v, and %d bytes written", err, b.Len())
	}
}

func TestDecodeOfWhatIsNoJSON(t *testing.T) {
	m := Message{Type: TypeCaps, Payload: []byte("{")}
	if err := m.Decode(&Caps{}); err == nil || !strings.Contains(err.Error(), `"caps"`) {
		t.Errorf("%v, want an error that names the message", err)
	}
}

func TestNamesOfTypes(t *testing.T) {
	for typ, want := range map[Type]string{TypeHello: "hello", TypeResult: "result", 0: "type 0", 200: "type 200"} {
		if got := typ.String(); got != want {
			t.Errorf("%d is called %q, want %q", typ, got, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, m := range messages {
		var b bytes.Buffer
		if err := NewWriter(&b).Write(&m); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		var out bytes.Buffer
		w := NewWriter(&out)
		for {
			m, err := r.Next()
			if err != nil {
				break
			}
			if err := w.Write(&m); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Fatalf("%x was read as %x", in, out.Bytes())
		}
	})
}

// J180, J181, J183, J184
func TestSentencesOfFaults(t *testing.T) {
	for want, f := range map[string]Fault{
		`the pipeline has a mistake: no property "foo" in element "x264enc"`:                  {Code: FaultParse, Message: `no property "foo" in element "x264enc"`},
		`element "x264enc" is not installed: apt install gstreamer1.0-plugins-ugly`:           {Code: FaultMissingElement, Element: "x264enc", Package: "gstreamer1.0-plugins-ugly"},
		`element "mpph264enc" is not installed`:                                               {Code: FaultMissingElement, Element: "mpph264enc"},
		`no video/x-h265 decoder is installed: apt install gstreamer1.0-libav`:                {Code: FaultMissingElement, Message: "video/x-h265 decoder", Package: "gstreamer1.0-libav"},
		`no RTSP protocol source is installed`:                                                {Code: FaultMissingElement, Message: "RTSP protocol source"},
		`element "filesink" is not allowed: name it in transcode.allow_elements to permit it`: {Code: FaultNotAllowed, Element: "filesink"},
		`the pipeline has no output: end it in raw or encoded video or audio`:                 {Code: FaultNoOutput},
		`two outputs of the pipeline are named "video": give each its own name`:               {Code: FaultDuplicateOutput, Element: "video"},
		`the pipeline exceeds a limit: 16384x16384 pixels`:                                    {Code: FaultLimit, Message: "16384x16384 pixels"},
		`the pipeline does not start: v4l2src0: Cannot identify device '/dev/video0'`:         {Code: FaultState, Element: "v4l2src0", Message: "Cannot identify device '/dev/video0'"},
		`the pipeline failed: x: Internal data stream error`:                                  {Code: FaultElement, Element: "x", Message: "Internal data stream error"},
		`the pipeline has ended`:                      {Code: FaultEOS},
		`the worker can't start: no reason was given`: {Code: FaultStart},
		`the worker ran out of memory`:                {Code: FaultMemory},
		`the worker failed: something new`:            {Code: "new", Message: "something new"},
	} {
		if got := f.Error(); got != want {
			t.Errorf("%s: %q, want %q", f.Code, got, want)
		}
	}
}
