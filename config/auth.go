package config

import (
	"fmt"
	"net/netip"
	"net/url"
)

// Auth says who may do what. Mode "none" lets everybody on this machine do everything, and nobody else in.
type Auth struct {
	// Mode is none, internal (Users), jwt or http.
	Mode string `toml:"mode" oneof:"none internal jwt http"`
	// QueryToken also takes a token from ?token=, where logs and browser histories keep it.
	QueryToken bool `toml:"query_token"`
	// SessionAuth strict asks for the credentials of the POST at each PATCH and DELETE of its session.
	SessionAuth string `toml:"session_auth" oneof:"lenient strict"`
	// LenientAuth takes a token in the header Authorization that stands there without a scheme.
	LenientAuth bool     `toml:"lenient_auth"`
	JWT         JWT      `toml:"jwt"`
	HTTP        AuthHTTP `toml:"http"`
	Users       []User   `toml:"users"`
}

// JWT is for mode jwt. One of JWKSURL and Secret says how tokens are verified.
type JWT struct {
	JWKSURL string `toml:"jwks_url"`
	// Secret is of HS256, 32 bytes or more.
	Secret Secret `toml:"secret"`
	// Issuer and Audience are what a token must say; "": anything.
	Issuer   string `toml:"issuer"`
	Audience string `toml:"audience"`
	// EnforceExpiry ends the sessions of a token when it expires.
	EnforceExpiry bool `toml:"enforce_exp"`
}

// AuthHTTP is for mode http: a server that is asked who may.
type AuthHTTP struct {
	URL string `toml:"url"`
}

// minJWTSecret is the least of HS256: as many bytes as its hash has (RFC 7518 3.2).
const minJWTSecret = 32

var (
	jwksURL     = urlKind{"JWKS", "https://HOST/jwks.json", "https://[2001:db8::1]/jwks.json", true}
	callbackURL = urlKind{"callback", "https://HOST/path", "https://[2001:db8::1]/path", true}
)

func (a Auth) check() Faults {
	var faults Faults
	switch a.Mode {
	case "jwt":
		faults = a.JWT.check()
	case "http":
		faults.add("auth.http.url", a.HTTP.check())
	}
	return append(faults, checkUsers(a.Users)...)
}

func (j JWT) check() Faults {
	var faults Faults
	switch {
	case j.JWKSURL == "" && j.Secret == "":
		faults.add("auth.jwt.jwks_url", `is missing: mode "jwt" needs the URL of the keys that tokens are verified with, or auth.jwt.secret in its place`)
	case j.JWKSURL != "" && j.Secret != "":
		faults.add("auth.jwt.secret", "stands beside auth.jwt.jwks_url: write one of them, so that it is clear which tokens are good")
	case j.Secret != "" && len(j.Secret) < minJWTSecret:
		faults.add("auth.jwt.secret", fmt.Sprintf("has %d bytes; at least %d are needed, or it can be guessed", len(j.Secret), minJWTSecret))
	case j.JWKSURL != "":
		faults.add("auth.jwt.jwks_url", checkHTTPURL(jwksURL, j.JWKSURL))
	}
	return faults
}

func (h AuthHTTP) check() string {
	if h.URL == "" {
		return `is missing: mode "http" needs the URL of the server that is asked`
	}
	return checkHTTPURL(callbackURL, h.URL)
}

func checkHTTPURL(k urlKind, s string) string {
	u, err := url.Parse(s)
	if err == nil && u.Scheme != "http" && u.Scheme != "https" {
		return quote(mask(s)) + " does not begin with https:// or http://"
	}
	return k.fault(s)
}

// doubts are keys of another mode, and what can be read on its way.
func (a Auth) doubts() Faults {
	var doubts Faults
	if a.Mode != "jwt" && a.JWT != (JWT{}) {
		doubts.add("auth.jwt", `does nothing: auth.mode is not "jwt"`)
	}
	if a.Mode != "http" && a.HTTP.URL != "" {
		doubts.add("auth.http", `does nothing: auth.mode is not "http"`)
	}
	if a.Mode == "jwt" && readable(a.JWT.JWKSURL) {
		doubts.add("auth.jwt.jwks_url", "is plain HTTP to another machine: whoever is between the two can put in keys of their own; write https://")
	}
	if a.Mode == "http" && readable(a.HTTP.URL) {
		doubts.add("auth.http.url", "is plain HTTP to another machine: whoever is between the two can read passwords and let everybody in; write https://")
	}
	return append(doubts, a.userDoubts()...)
}

// readable tells whether others can read what goes to the URL s.
func readable(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" {
		return false
	}
	addr := hostAddr(u.Hostname())
	return addr == (netip.Addr{}) || !addr.IsLoopback()
}
