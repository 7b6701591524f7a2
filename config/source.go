package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// supported is what a sentence about any other source ends in.
const supported = "this build, which reads rtsp://, rtsps:// and demo:"

// laterSchemes are those of other builds.
const laterSchemes = "publish gst device whep wheps onvif"

var (
	schemeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,15}$`)
	badEscape  = regexp.MustCompile(`%([^0-9A-Fa-f]|$|[0-9A-Fa-f]([^0-9A-Fa-f]|$))`)
)

// checkSource returns what is wrong with a source, "" if nothing is. It takes no words from net/url, whose
// errors repeat parts of the URL that can be parts of a password.
func checkSource(source string) string {
	scheme, rest, found := strings.Cut(source, ":")
	switch {
	case found && (scheme == "rtsp" || scheme == "rtsps"):
		if message := checkURL(source); message != "" {
			return quote(mask(source)) + " " + message
		}
		return ""
	case source == DemoSource:
		return ""
	case found && scheme == "demo":
		return `takes nothing after "demo:"`
	case oneOf(scheme, laterSchemes):
		return fmt.Sprintf("%q is not in %s", scheme, supported)
	case found && strings.HasPrefix(rest, "//") && schemeName.MatchString(scheme):
		return fmt.Sprintf("%q is not a kind of source in %s", scheme, supported)
	default:
		return "does not begin with a kind of source of " + supported
	}
}

func checkURL(source string) string {
	if i := strings.IndexFunc(source, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return fmt.Sprintf("has a space or control character after %d characters: write a space as %%20", len([]rune(source[:i])))
	}
	authority := authorityOf(source)
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	if strings.HasPrefix(host, "[") && strings.Contains(host, "%") {
		return "has an IPv6 zone, which RTSP has no way to say: leave out the % and what follows it"
	}
	if badEscape.MatchString(source) {
		return "has a % that is not the start of an escape such as %40: write %25 for the character itself"
	}
	if strings.Contains(source, "#") {
		return "has a #, which no RTSP URL can have: write %23 for the character itself"
	}
	return checkAuthority(source, host)
}

func checkAuthority(source, host string) string {
	if !strings.Contains(source, "://") {
		return "has no // after its scheme"
	}
	if host == "" || host[0] == ':' {
		return "names no host: write rtsp://HOST/path or rtsp://user:password@HOST/path"
	}
	if strings.Count(host, ":") > 1 && host[0] != '[' {
		return "has an IPv6 address without [ ] around it: write rtsp://[2001:db8::1]:554/path"
	}
	u, err := url.Parse(source)
	if err != nil {
		return "is not a URL: a port is a number, an IPv6 address stands in [ ], and in user and password @ is written %40, : %3A, / %2F, ? %3F"
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return "has a port that is not a number from 1 to 65535"
	}
	return ""
}
