package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/admin"
)

// camera is a gateway that makes pictures, or tells err.
type camera struct {
	fake
	err error
}

var taken = time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)

func (c camera) Snapshot(_ context.Context, stream string) ([]byte, time.Time, error) {
	if c.err != nil {
		return nil, time.Time{}, c.err
	}
	return []byte("\xff\xd8 picture of " + stream), taken, nil
}

func TestSnapshot(t *testing.T) {
	const lastModified = "Fri, 02 Jan 2026 03:04:05 GMT"
	tag, earlier := fmt.Sprintf(`"%x"`, taken.UnixNano()), fmt.Sprintf(`"%x"`, taken.Add(-time.Second/2).UnixNano())
	missing := &admin.UnavailableError{Reason: "Install the package sluice-gst."}
	soon := fmt.Errorf("snapshot: %w", &admin.UnavailableError{Reason: "No picture has come yet.", RetryAfter: 1500 * time.Millisecond})
	for _, c := range []struct {
		name, method, stream string
		gateway              admin.Gateway
		since                string // If-Modified-Since, or If-None-Match if it is quoted
		status               int
		body                 string // part of it
		retryAfter           string
	}{
		{"picture", "GET", "door", camera{}, "", 200, "\xff\xd8 picture of door", ""},
		{"head", "HEAD", "door", camera{}, "", 200, "", ""},
		{"known", "GET", "door", camera{}, lastModified, 304, "", ""},
		{"known by its tag", "GET", "door", camera{}, tag, 304, "", ""},
		{"another of the same second", "GET", "door", camera{}, earlier, 200, "\xff\xd8", ""},
		{"newer than known", "GET", "door", camera{}, "Fri, 02 Jan 2026 03:04:04 GMT", 200, "\xff\xd8", ""},
		{"no such stream", "GET", "other", camera{}, "", 404, "stream_not_found", ""},
		{"no worker", "GET", "door", camera{err: missing}, "", 503, "Install the package sluice-gst.", ""},
		{"no picture yet", "GET", "door", camera{err: soon}, "", 503, "No picture has come yet.", "2"},
		{"broken", "GET", "door", camera{err: errors.New("the worker died")}, "", 503, "the worker died", ""},
		{"none at all", "GET", "door", fake{}, "", 503, "makes no pictures", ""},
		{"post", "POST", "door", camera{}, "", 405, "Allowed here", ""},
		{"delete", "DELETE", "other", camera{}, "", 405, "Allowed here", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, "/door/snapshot.jpg", nil)
			switch {
			case strings.HasPrefix(c.since, `"`):
				r.Header.Set("If-None-Match", c.since)
				r.Header.Set("If-Modified-Since", lastModified)
			case c.since != "":
				r.Header.Set("If-Modified-Since", c.since)
			}
			admin.New(c.gateway).Snapshot(w, r, c.stream)
			body, h := w.Body.String(), w.Header()
			if w.Code != c.status || !strings.Contains(body, c.body) || c.body == "" && body != "" || h.Get("Retry-After") != c.retryAfter {
				t.Fatalf("%d %v\n%s", w.Code, h, body)
			}
			switch picture := c.status < 400; {
			case !picture && (h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store"):
				t.Errorf("headers: %v", h)
			case picture && (h.Get("Cache-Control") != "private, max-age=1" || h.Get("ETag") != tag):
				t.Errorf("headers: %v", h)
			case c.status == http.StatusOK && (h.Get("Content-Type") != "image/jpeg" || h.Get("Content-Length") == "" || h.Get("Last-Modified") != lastModified):
				t.Errorf("headers: %v", h)
			case (c.status == http.StatusMethodNotAllowed) != (h.Get("Allow") == "GET, HEAD"):
				t.Errorf("headers: %v", h)
			}
		})
	}
}
