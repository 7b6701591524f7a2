package capture

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// The names under which pools start their programs: under them, the test binary is its own worker.
const (
	captureName = "gateway-capture"
	gstName     = "gateway-gst"
)

func TestMain(m *testing.M) {
	if os.Args[0] == captureName || os.Args[0] == gstName {
		if err := fakeWorker(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// fakeWorker captures a device that gives one picture, until it is told to stop. That of GStreamer lacks libcamera.
func fakeWorker() error {
	conn, err := net.FileConn(os.NewFile(wire.FD, "gateway"))
	if err != nil {
		return err
	}
	r, w := wire.NewReader(conn), wire.NewWriter(conn)
	answers := map[wire.Type][]*wire.Message{
		wire.TypePing: {{Type: wire.TypePong}},
		wire.TypeConfig: {
			wire.JSON(wire.TypeCaps, wire.Caps{Kind: media.Video, Codec: media.VP8, Width: 16, Height: 16}),
			{Type: wire.TypeReady},
			{Type: wire.TypeFrame, Flags: wire.Keyframe, PTS: worker.Monotonic(), Payload: []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 1, 2, 3}},
		},
	}
	if os.Args[0] == gstName {
		answers[wire.TypeConfig] = []*wire.Message{wire.JSON(wire.TypeError, wire.Fault{
			Code: wire.FaultMissingElement, Element: "libcamerasrc", Package: "gstreamer1.0-libcamera", Permanent: true,
		})}
	}
	if err := w.Write(wire.JSON(wire.TypeHello, wire.Greeting{Version: wire.Version, Worker: os.Args[0]})); err != nil {
		return err
	}
	for {
		m, err := r.Next()
		if err != nil || m.Type == wire.TypeStop {
			return nil
		}
		for _, a := range answers[m.Type] {
			if err := w.Write(a); err != nil {
				return err
			}
		}
	}
}
