package gateway_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

// J16: streams that are opened and reset by the thousand harm nobody else, and leave nothing behind. The connection goes
// on as long as the gateway keeps up with it: what net/http does not get done it bounds, and closes the connection.
func TestRapidReset(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	g := startAt(t, "tls = \"self-signed\"\n", "[auth]\nmode = \"internal\"\n")
	before := runtime.NumGoroutine()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(g.url, "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}) //nolint:gosec // it is the gateway's own
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	read, written := make(chan struct{}), make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(io.Discard, conn) }()
	go func() { defer close(written); _ = resetStreams(conn, 20_000) }()
	client, most := newSecure(t), 0
	for flooding := true; flooding; {
		select {
		case <-written:
			flooding = false
		default:
		}
		w, err := client.Get(g.url + "/healthz")
		if err != nil || w.Body.Close() != nil || w.StatusCode != 200 {
			t.Fatalf("somebody else gets %v: %v", w, err)
		}
		most = max(most, runtime.NumGoroutine())
	}
	if most > before+1000 {
		t.Errorf("%d goroutines at a time", most)
	}
	_ = conn.Close()
	<-read
	eventually(t, "nothing is left", func() bool { return runtime.NumGoroutine() < before+20 })
}

// resetStreams opens streams and resets each at once. The error is that of a connection that has been closed.
func resetStreams(conn net.Conn, n uint32) error {
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		return err
	}
	if _, err := conn.Write(frame(4, 0, 0, "")); err != nil { // SETTINGS
		return err
	}
	request := "\x82\x87\x41\x09localhost\x04\x0f/api/v1/streams" // HPACK: GET, https, a literal authority and path
	for i := range n {
		opened, reset := frame(1, 5, 2*i+1, request), frame(3, 0, 2*i+1, "\x00\x00\x00\x08") // END_STREAM, END_HEADERS; CANCEL
		if _, err := conn.Write(append(opened, reset...)); err != nil {
			return err
		}
	}
	return nil
}

// frame is one of RFC 9113 4.1.
func frame(kind, flags byte, stream uint32, payload string) []byte {
	b := []byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}
