package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// canaries are secrets by the place that each was put in. No two are the same.
type canaries struct {
	mu  sync.Mutex
	all map[string]string // guarded by mu
}

// hatch makes a secret for a place, with signs in it that URLs have to escape.
func (c *canaries) hatch(place string) string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	return c.add(place, "can/+@"+hex.EncodeToString(random))
}

// add takes a secret that somebody else has made.
func (c *canaries) add(place, secret string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[string]string)
	}
	c.all[place] = secret
	return secret
}

// forms are the ways in which a text may stand in another: as it is, for a URL, in hex, and in base64 wherever it
// begins there.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for shift := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			whole := (shift + len(secret)) * 8 / 6 // what comes behind changes the sign after these
			all = append(all, text[(shift*8+5)/6:whole])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// find returns the places of the secrets that show in a text.
func (c *canaries) find(text string) (places []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for place, secret := range c.all {
		if slices.ContainsFunc(forms(secret), func(form string) bool { return strings.Contains(text, form) }) {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places
}

// check fails the test if a text that the gateway has written shows a secret; what says where the text is from.
func (c *canaries) check(t testing.TB, what, text string, but ...string) {
	t.Helper()
	for _, place := range c.find(text) {
		if !slices.Contains(but, place) {
			t.Errorf("%s shows the secret that was put in %s", what, place)
		}
	}
}

// The other tests of canaries would pass if none were ever found.
func TestCanariesAreFound(t *testing.T) {
	t.Parallel()
	c := &canaries{}
	secret := c.hatch("here")
	c.hatch("there")
	for _, text := range []string{
		secret, "a" + secret + "b", url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte("u:" + secret)),
		base64.StdEncoding.EncodeToString([]byte("u:" + secret)), base64.StdEncoding.EncodeToString([]byte("user:" + secret + "!")),
		base64.URLEncoding.EncodeToString([]byte("{" + secret + "}")), base64.StdEncoding.EncodeToString([]byte("{}" + secret + "}}")),
		strings.ToUpper(hex.EncodeToString([]byte(secret))), base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		if found := c.find("before " + text + " behind"); !slices.Equal(found, []string{"here"}) {
			t.Errorf("in %q: %v", text, found)
		}
	}
	if found := c.find("can/+@" + secret[:20]); found != nil {
		t.Errorf("found %v", found)
	}
}
