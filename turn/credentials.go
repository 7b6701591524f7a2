package turn

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the long-term key of RFC 8489 section 9.2.2 is MD5; no collision of it helps anyone
	"crypto/sha1" //nolint:gosec // coturn's use-auth-secret is HMAC-SHA1
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

const (
	// farthestExpiry is how far ahead a credential may expire.
	farthestExpiry = 24 * time.Hour
	// clockLeeway is allowed between our clock and that of who minted.
	clockLeeway = time.Minute
	maxID       = 64
)

// Mint makes a credential that this server, and coturn with use-auth-secret, accept until now+ttl: the user name is
// "expiry:id" in Unix seconds, the credential base64(HMAC-SHA1(secret, user name)). id is opaque and counts for
// quotas and Revoke: 1 to 64 of A-Z, a-z, 0-9, _ and -. A ttl above 24 h is refused when it is used.
//
// Specification: draft-uberti-behave-turn-rest-00 section 2.2.
func Mint(secret, id string, ttl time.Duration, now time.Time) (username, credential string) {
	username = strconv.FormatInt(now.Add(ttl).Unix(), 10) + ":" + id
	return username, password(secret, username)
}

func password(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// longTermKey is the key of MESSAGE-INTEGRITY. Specification: RFC 8489 section 9.2.2.
func longTermKey(username, realm, password string) []byte {
	key := md5.Sum([]byte(username + ":" + realm + ":" + password)) //nolint:gosec // as above
	return key[:]
}

// parseUsername takes "expiry:id" apart; ok is false for what Mint would not have made, for what expired longer than
// grace ago, and for what expires later than may be.
func parseUsername(username string, now time.Time, grace time.Duration) (id string, ok bool) {
	expiry, id, found := strings.Cut(username, ":")
	if !found || !digits(expiry) || !validID(id) {
		return "", false
	}
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		return "", false
	}
	earliest, latest := now.Add(-grace).Unix(), now.Add(farthestExpiry+clockLeeway).Unix()
	return id, seconds >= earliest && seconds <= latest
}

// digits refuses signs, spaces and the underscores and prefixes that strconv would take.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
