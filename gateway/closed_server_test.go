package gateway

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// J5, J6, J11, J17, J58, once more with authorisation on: who shows nothing is refused at once or when his time is
// over, and what he sends is not kept.
func TestRequestLimitsOfAClosedGateway(t *testing.T) {
	const post = "POST /cam/whip HTTP/1.1\r\nHost: camera.example\r\nContent-Type: application/sdp\r\n"
	for name, c := range map[string]struct {
		sent   string
		status string // "": the connection is closed without a word
		after  time.Duration
	}{
		"J17: slow headers": {"GET / HTTP/1.1\r\nHost: local", "", headerTimeout},
		"J11":               {"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "HTTP/1.1 431", 0},
		"J5, J6":            {post + "Content-Length: 100\r\n\r\n0123456789", "HTTP/1.1 401", 10 * time.Second},
		"J58":               {post + "Content-Length: 10000000\r\n\r\nv=0\r\n" + strings.Repeat("a", 1<<20), "HTTP/1.1 401", 0},
		"J14: CONNECT":      {"CONNECT localhost:25 HTTP/1.1\r\nHost: localhost:25\r\n\r\n", "HTTP/1.1 405", 0},
	} {
		t.Run(name, func(t *testing.T) {
			overPipesTo(t, "internal", func(dial func() net.Conn) {
				expectAnswer(t, dial(), c.sent, c.status, c.after)
			})
		})
	}
}

// J17, once more with authorisation on: connections that say who they are too slowly hold nobody up.
func TestSlowlorisOfAClosedGateway(t *testing.T) {
	overPipesTo(t, "internal", func(dial func() net.Conn) {
		var slow sync.WaitGroup
		for range 500 {
			near := dial()
			slow.Go(func() {
				_, err := io.WriteString(near, "POST /cam/whep HTTP/1.1\r\nAuthorization: Bearer ")
				// A letter a second of the time in the bubble.
				for ; err == nil; time.Sleep(time.Second) {
					_, err = io.WriteString(near, "a")
				}
			})
			slow.Go(func() {
				_, _ = io.Copy(io.Discard, near)
				_ = near.Close()
			})
		}
		near := dial()
		defer near.Close()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(near, "POST /cam/whep HTTP/1.1\r\nHost: camera.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}()
		if line, err := bufio.NewReader(near).ReadString('\n'); err != nil || time.Since(began) != 0 || !strings.HasPrefix(line, "HTTP/1.1 401") {
			t.Errorf("somebody else was answered %q after %v: %v", line, time.Since(began), err)
		}
		slow.Wait()
		if took := time.Since(began); took > headerTimeout+2*time.Second {
			t.Errorf("the connections were closed after %v", took)
		}
	})
}
