package testcamera

import (
	"crypto/md5" //nolint:gosec // Digest is what cameras speak
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

// Auth is how the camera knows who may watch. It checks Basic and every form of Digest.
type Auth struct {
	User, Password string
	// Challenges are the values of WWW-Authenticate.
	Challenges []string
	// Check, if not nil, sees the Authorization header and may refuse it by an error.
	Check func(header string) error
	// Never refuses everybody.
	Never bool
}

func (a *Auth) admits(s *Session, r *Request) bool {
	h := r.Header.Get("Authorization")
	if h != "" && !a.Never && a.valid(h, r) && (a.Check == nil || a.Check(h) == nil) {
		return true
	}
	var lines []string
	for _, c := range a.Challenges {
		lines = append(lines, "WWW-Authenticate: "+c)
	}
	s.Reply(r, "401 Unauthorized", "", lines...)
	return false
}

var parameter = regexp.MustCompile(`(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))`)

func (a *Auth) valid(h string, r *Request) bool {
	scheme, rest, _ := strings.Cut(h, " ")
	if scheme == "Basic" {
		return rest == base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password))
	}
	p := make(map[string]string)
	for _, m := range parameter.FindAllStringSubmatch(rest, -1) {
		p[m[1]] = m[2] + m[3]
	}
	return p["uri"] == r.URL && p["username"] == a.User && p["response"] == a.response(p, r.Method)
}

// response is what RFC 7616 3.4.1 asks for.
func (a *Auth) response(p map[string]string, method string) string {
	algorithm := strings.ToUpper(p["algorithm"])
	h := func(s string) string {
		var d hash.Hash = md5.New() //nolint:gosec // see above
		switch strings.TrimSuffix(algorithm, "-SESS") {
		case "SHA-256":
			d = sha256.New()
		case "SHA-512-256":
			d = sha512.New512_256()
		}
		d.Write([]byte(s))
		return fmt.Sprintf("%x", d.Sum(nil))
	}
	ha1 := h(a.User + ":" + p["realm"] + ":" + a.Password)
	if strings.HasSuffix(algorithm, "-SESS") {
		ha1 = h(ha1 + ":" + p["nonce"] + ":" + p["cnonce"])
	}
	ha2 := h(method + ":" + p["uri"])
	if p["qop"] != "" {
		return h(ha1 + ":" + p["nonce"] + ":" + p["nc"] + ":" + p["cnonce"] + ":" + p["qop"] + ":" + ha2)
	}
	return h(ha1 + ":" + p["nonce"] + ":" + ha2)
}
