package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// urlKind is a protocol whose URLs are checked, and its words for what is wrong with one.
type urlKind struct {
	protocol string
	host     string // how to write a URL with a host
	ipv6     string // and one with an IPv6 address
	userinfo bool   // whether user and password can stand in the URL
}

var (
	rtspURL = urlKind{"RTSP", "rtsp://HOST/path or rtsp://user:password@HOST/path", "rtsp://[2001:db8::1]:554/path", true}
	whepURL = urlKind{"WHEP", "wheps://HOST/stream/whep", "wheps://[2001:db8::1]:8889/stream/whep", false}
	whipURL = urlKind{"WHIP", "whips://HOST/stream/whip", "whips://[2001:db8::1]:8889/stream/whip", false}
)

var badEscape = regexp.MustCompile(`%([^0-9A-Fa-f]|$|[0-9A-Fa-f]([^0-9A-Fa-f]|$))`)

// fault shows a URL and says what is wrong with it, "" if nothing is.
func (k urlKind) fault(source string) string {
	if message := k.check(source); message != "" {
		return quote(mask(source)) + " " + message
	}
	return ""
}

// check takes no words from net/url, whose errors repeat parts of the URL that can be parts of a password.
func (k urlKind) check(source string) string {
	if i := strings.IndexFunc(source, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return fmt.Sprintf("has a space or control character after %d characters: write a space as %%20", len([]rune(source[:i])))
	}
	authority := authorityOf(source)
	if strings.Contains(authority, streamReference) {
		return "has ${stream} before its path, where whoever watches would choose the host: it can stand in path and query"
	}
	source = strings.ReplaceAll(source, streamReference, "stream")
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	if strings.HasPrefix(host, "[") && strings.Contains(host, "%") {
		return fmt.Sprintf("has an IPv6 zone, which %s has no way to say: leave out the %% and what follows it", k.protocol)
	}
	if badEscape.MatchString(source) {
		return "has a % that is not the start of an escape such as %40: write %25 for the character itself"
	}
	if strings.Contains(source, "#") {
		return fmt.Sprintf("has a #, which no %s URL can have: write %%23 for the character itself", k.protocol)
	}
	return k.checkAuthority(source, host)
}

func (k urlKind) checkAuthority(source, host string) string {
	if !strings.Contains(source, "://") {
		return "has no // after its scheme"
	}
	if host == "" || host[0] == ':' {
		return "names no host: write " + k.host
	}
	if strings.Count(host, ":") > 1 && host[0] != '[' {
		return "has an IPv6 address without [ ] around it: write " + k.ipv6
	}
	u, err := url.Parse(source)
	if err != nil {
		return "is not a URL: a port is a number, an IPv6 address stands in [ ], and in user and password @ is written %40, : %3A, / %2F, ? %3F"
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return "has a port that is not a number from 1 to 65535"
	}
	if u.User != nil && !k.userinfo {
		return fmt.Sprintf("has a user or a password, which a %s URL can't have: write a bearer token into the key token", k.protocol)
	}
	return ""
}
