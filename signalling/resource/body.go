package resource

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sluice/signalling/problem"
)

const (
	bodyTimeout  = 10 * time.Second // to read a body (J5)
	closeTimeout = time.Second      // for a client to read why its body is not wanted, before the connection is closed
	maxBody      = 1 << 20          // bytes of an offer whose size is not limited otherwise
)

// LimitBody gives the body of every request to h its time, also where nobody reads it: the server waits for the rest
// of a body before it answers, and would do so for ever (J5). What comes after the body has no such limit.
func LimitBody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			setReadTimeout(w, bodyTimeout)
		}
		h.ServeHTTP(w, r)
	})
}

func setReadTimeout(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d)) // not supported in tests only
}

// Accepted is what a request's body may be.
type Accepted struct {
	Limit int      // bytes
	Types []string // media types, in lower case

	TooLarge *atomic.Uint64 // counts those above Limit; nil: nobody does
}

// ReadBody reads a body within its limits of type, size and time, and returns its media type as well. If it is
// outside of them, the request has been answered and ok is false.
func ReadBody(w http.ResponseWriter, r *http.Request, a Accepted) (mediaType, body string, ok bool) {
	mediaType, p := checkType(r, a.Types)
	if p == nil {
		body, p = read(w, r, a)
	}
	if p != nil {
		problem.Write(w, *p)
		return "", "", false
	}
	return mediaType, body, true
}

// checkType looks at the headers that say what the body is (A2, A70, J3, J7).
func checkType(r *http.Request, types []string) (string, *problem.Problem) {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(types, t) || r.Header.Get("Content-Encoding") != "" {
		return "", pointer(problem.New(http.StatusUnsupportedMediaType, "content_type",
			"The body must have the header Content-Type: "+strings.Join(types, " or ")+", and no Content-Encoding."))
	}
	return t, nil
}

func read(w http.ResponseWriter, r *http.Request, a Accepted) (string, *problem.Problem) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.Limit)))
	if err == nil {
		return string(body), nil
	}
	setReadTimeout(w, closeTimeout)
	w.Header().Set("Connection", "close") // what is left of the body would be taken for the next request
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		if a.TooLarge != nil {
			a.TooLarge.Add(1)
		}
		return "", pointer(problem.New(http.StatusRequestEntityTooLarge, "body_too_large",
			fmt.Sprintf("The body may have %d bytes.", a.Limit)))
	case isTimeout(err):
		return "", pointer(problem.New(http.StatusRequestTimeout, "timeout", "The body did not arrive within 10 seconds."))
	default:
		return "", pointer(problem.New(http.StatusBadRequest, "body", "The body did not arrive whole."))
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func pointer(p problem.Problem) *problem.Problem { return &p }
