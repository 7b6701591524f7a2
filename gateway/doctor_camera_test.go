package gateway

import (
	"bufio"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/config"
)

// answerOptions is a camera that answers one OPTIONS, and its address; % stands for its time, by a clock that is ahead.
func answerOptions(t *testing.T, answer string, ahead time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := textproto.NewReader(bufio.NewReader(c))
		line, _ := r.ReadLine()
		if _, err := r.ReadMIMEHeader(); err != nil || line != "OPTIONS rtsp://"+l.Addr().String()+"/ RTSP/1.0" {
			t.Errorf("asked %q, %v", line, err)
		}
		date := time.Now().Add(ahead).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = c.Write([]byte(strings.Replace(answer, "%", date, 1)))
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return l.Addr().String()
}

// A camera's clock, where it tells: without a login, and without the secrets of its URL.
func TestCameraClock(t *testing.T) {
	const dated = "RTSP/1.0 200 OK\r\nCSeq: 1\r\nDate: %\r\n\r\n"
	for _, c := range []struct {
		name, answer string
		ahead        time.Duration
		known        bool
	}{
		{"right", dated, 0, true},
		{"an hour ahead", dated, time.Hour, true},
		{"a day behind, and a login is asked for", strings.Replace(dated, "200 OK", "401 Unauthorized", 1), -24 * time.Hour, true},
		{"no date", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", 0, false},
		{"no RTSP", "220 ftp\r\n", 0, false},
		{"silent", "", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, began := answerOptions(t, c.answer, c.ahead), time.Now()
			d := doctorCameras{config.Config{Streams: map[string]config.Stream{"cam": {Source: "rtsp://user:secret@" + at + "/live?token=secret"}}}}
			ahead, known, err := d.Clock(t.Context(), "cam")
			if err != nil || known != c.known || (ahead-c.ahead).Abs() > 2*time.Second+time.Since(began) {
				t.Errorf("%v, %v, %v", ahead, known, err)
			}
		})
	}
}

func TestCameraWithoutClock(t *testing.T) {
	d := doctorCameras{config.Config{Streams: map[string]config.Stream{"demo": {Source: "demo:"}, "safe": {Source: "rtsps://127.0.0.1:1/"}, "off": {Source: "rtsp://127.0.0.1:1/"}}}}
	for name, fails := range map[string]bool{"demo": false, "safe": false, "none": false, "off": true} {
		if _, known, err := d.Clock(t.Context(), name); known || (err != nil) != fails {
			t.Errorf("%s: %v, %v", name, known, err)
		}
	}
}
