package testcamera

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// way is where the packets of one track go.
type way struct {
	channel int            // interleaved; -1 for UDP
	sockets []*net.UDPConn // RTP and RTCP
	to      []*net.UDPAddr
}

func (w way) close() {
	for _, c := range w.sockets {
		_ = c.Close()
	}
}

var (
	interleaved = regexp.MustCompile(`interleaved=(\d+)`)
	clientPort  = regexp.MustCompile(`client_port=(\d+)-(\d+)`)
)

// Setup makes the way that a SETUP asks for, and returns the Transport to answer with. It reports false for a
// transport that it does not have.
func (s *Session) Setup(r *Request) (transport string, ok bool) {
	asked := r.Header.Get("Transport")
	if m := interleaved.FindStringSubmatch(asked); m != nil {
		channel, _ := strconv.Atoi(m[1])
		s.SetupTCP(channel)
		return fmt.Sprintf("RTP/AVP/TCP;unicast;interleaved=%d-%d", channel, channel+1), true
	}
	m := clientPort.FindStringSubmatch(asked)
	if m == nil {
		return "", false
	}
	rtp, _ := strconv.Atoi(m[1])
	rtcp, _ := strconv.Atoi(m[2])
	w, err := s.setupUDP(rtp, rtcp)
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d", rtp, rtcp, localPort(w.sockets[0]), localPort(w.sockets[1])), true
}

// SetupTCP adds a track that goes over interleaved channels.
func (s *Session) SetupTCP(channel int) { s.ways = append(s.ways, way{channel: channel}) }

func (s *Session) setupUDP(ports ...int) (way, error) {
	w := way{channel: -1}
	for _, port := range ports {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: s.LocalAddr().(*net.TCPAddr).IP})
		if err != nil {
			w.close()
			return w, err
		}
		w.sockets = append(w.sockets, c)
		w.to = append(w.to, &net.UDPAddr{IP: s.RemoteAddr().(*net.TCPAddr).IP, Port: port})
	}
	s.ways = append(s.ways, w)
	return w, nil
}

func localPort(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

// ReceivedUDP waits for a datagram of the client at a track's RTP (0) or RTCP (1) socket; nil if none comes.
func (s *Session) ReceivedUDP(track, which int, within time.Duration) []byte {
	c := s.ways[track].sockets[which]
	_ = c.SetReadDeadline(time.Now().Add(within))
	buf := make([]byte, 2048)
	n, err := c.Read(buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// Stop ends the stream, not the connection.
func (s *Session) Stop() { s.once.Do(func() { close(s.done) }) }

// Play streams to all ways until the connection ends.
func (s *Session) Play() {
	period := s.Camera.Period
	if period == 0 {
		period = 10 * time.Millisecond
	}
	for i, w := range s.ways {
		kind := kindOf(s.Camera.SDP, i)
		s.wg.Go(func() { s.stream(i, w, kind, period) })
	}
}

// kindOf is what a track of the SDP carries: "audio" or anything else.
func kindOf(sdp string, track int) string {
	sections := strings.Split("\n"+strings.ReplaceAll(sdp, "\r", ""), "\nm=")
	if track+1 >= len(sections) {
		return "video"
	}
	kind, _, _ := strings.Cut(sections[track+1], " ")
	return kind
}

func (s *Session) stream(track int, w way, kind string, period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	stream := newStream(kind)
	for {
		for _, p := range stream.next() {
			if s.Camera.Packet != nil {
				p = s.Camera.Packet(track, p)
			}
			if p != nil {
				s.sendPacket(w, 0, p)
			}
		}
		select {
		case <-tick.C:
		case <-s.done:
			return
		}
	}
}

func (s *Session) sendPacket(w way, which int, p []byte) {
	if s.sent.Add(1) == 10 {
		defer close(s.streaming)
	}
	if w.channel >= 0 {
		s.SendFrame(byte(w.channel+which), p)
		return
	}
	_, _ = w.sockets[which].WriteToUDP(p, w.to[which])
}
