package certificate

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	// maxPlain bounds what is read of a request in plain HTTP.
	maxPlain = 16 << 10
	// lingerTimeout is how long the rest of one is read, so that the answer is not lost with a reset.
	lingerTimeout = time.Second
)

// refusePlain answers a request in plain HTTP with the address to open instead.
func refusePlain(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, maxPlain)))
	if err != nil {
		return
	}
	text := "This port speaks HTTPS: open " + secureURL(r, c.LocalAddr()) + "\n"
	_, err = fmt.Fprintf(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	if err != nil {
		return
	}
	linger(c)
}

// secureURL is the address that was asked for, with https. A Host that is no name gives way to our own address.
func secureURL(r *http.Request, local net.Addr) string {
	host := r.Host
	if !plainHost(host) {
		host = local.String()
	}
	return (&url.URL{Scheme: "https", Host: host, Path: r.URL.Path}).String()
}

// plainHost says whether a Host can stand in a sentence: a name or an address, and a port.
func plainHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return name != "" && strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-:") == ""
}

// linger says that no more will come, and reads what does until the other side has closed.
func linger(c net.Conn) {
	if b, ok := c.(*begunConn); ok {
		c = b.Conn
	}
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || c.SetDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c, maxPlain) // what it was does not matter
}
