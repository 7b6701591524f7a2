package guard

import (
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/auth"
)

// A92, I44: which of many streams are for whoever sends a request, by whatever he shows.
func TestFilter(t *testing.T) {
	h := newHouse(t)
	h.query = true
	login := enter(t, h, `{"user":"alice","password":"right"}`)
	_, line := h.open("/cam/?token=" + aliceToken)
	for _, c := range []struct {
		name, url string
		headers   []string
		want      string
	}{
		{"nothing", "/", nil, "open1"},
		{"header", "/", []string{"Authorization", "Bearer " + aliceToken}, "cam open1"},
		{"URL", "/?token=" + bobToken, nil, "open1"},
		{"login", "/", []string{"Cookie", login}, "cam open1"},
		{"a token that was kept", "/", []string{"Cookie", strings.Split(line, ";")[0]}, "cam open1"},
		{"a cookie of no login", "/", []string{"Cookie", cookieName + "=x"}, "open1"},
		{"wrong", "/", []string{"Authorization", "Bearer x"}, "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", c.url, nil)
			for i := 0; i < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			some, err := h.Filter(r, auth.Play, []string{"cam", "open1", "other"})
			if got := strings.Join(some, " "); got != c.want && (err == nil || string(resultOf(err)) != c.want) {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}
