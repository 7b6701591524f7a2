package gateway

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"time"

	"sluice/config"
	"sluice/doctor"
)

const cameraAnswer = 4 * time.Second

// doctorCameras asks the RTSP cameras of a configuration what time it is.
type doctorCameras struct{ config config.Config }

var _ doctor.Cameras = doctorCameras{}

// Clock implements doctor.Cameras: the Date of an answer to OPTIONS, which needs no login (RFC 2326 10.1, 12.18). What
// encrypts is left alone.
func (d doctorCameras) Clock(ctx context.Context, stream string) (ahead time.Duration, known bool, err error) {
	s, ok := d.config.Streams[stream]
	u, fault := url.Parse(s.Source)
	if !ok || fault != nil || u.Scheme != "rtsp" {
		return 0, false, nil
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "554")
	}
	ctx, cancel := context.WithTimeout(ctx, cameraAnswer)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	began := time.Now()
	date, ok := askDate(conn, u)
	if !ok {
		return 0, false, nil
	}
	took := time.Since(began)
	return date.Add(time.Second / 2).Sub(began.Add(took / 2)), true, nil // the header has whole seconds
}

// askDate is the Date header of a camera's answer; ok is false if it tells none.
func askDate(conn net.Conn, u *url.URL) (date time.Time, ok bool) {
	if _, err := fmt.Fprintf(conn, "OPTIONS rtsp://%s/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", u.Host); err != nil {
		return time.Time{}, false
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	if _, err := r.ReadLine(); err != nil {
		return time.Time{}, false
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return time.Time{}, false
	}
	date, err = time.Parse(time.RFC1123, header.Get("Date"))
	return date, err == nil
}
