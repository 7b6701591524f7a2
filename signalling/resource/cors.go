package resource

import (
	"net/http"
	"slices"
	"strings"

	"sluice/signalling/problem"
)

// CORS lets pages of other origins use the endpoints, as far as they are allowed (A95).
type CORS struct {
	Origins []string // exact origins; "*" for all; empty: same origin only
}

const (
	corsMethods = "OPTIONS, GET, HEAD, POST, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, If-Match, Prefer"
	corsExpose  = "Location, ETag, Link, Accept-Post, Retry-After, WWW-Authenticate, Access-Control-Allow-Methods"
	corsMaxAge  = "600"
)

// Wrap adds the headers to every answer of h, errors included, and answers preflight requests itself.
func (c CORS) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := c.allow(w.Header(), r.Header.Get("Origin"))
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			preflight(w, allowed)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func (c CORS) allow(h http.Header, origin string) bool {
	h.Add("Vary", "Origin")
	if origin == "" || !slices.Contains(c.Origins, origin) && !slices.Contains(c.Origins, "*") {
		return false
	}
	if origin == "null" && !slices.Contains(c.Origins, "null") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsExpose)
	return true
}

// preflight answers for the browser's own question; nobody else's headers are named in it.
func preflight(w http.ResponseWriter, allowed bool) {
	if allowed {
		w.Header().Set("Access-Control-Allow-Methods", corsMethods)
		w.Header().Set("Access-Control-Allow-Headers", corsHeaders)
		w.Header().Set("Access-Control-Max-Age", corsMaxAge)
	}
	w.Header().Set("Accept-Post", sdpType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// CheckHeaders refuses requests that name themselves twice, of which two readers could make two things (J12).
func CheckHeaders(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Content-Type"} {
			if len(r.Header.Values(name)) > 1 {
				problem.Write(w, problem.New(http.StatusBadRequest, "headers", "There is more than one "+name+" header."))
				return
			}
		}
		if strings.ContainsRune(r.URL.Path, 0) {
			problem.Write(w, problem.New(http.StatusBadRequest, "path", "The path holds a NUL."))
			return
		}
		h.ServeHTTP(w, r)
	})
}
