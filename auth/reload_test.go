package auth

import (
	"strings"
	"testing"
)

// I44: who was let in by a signed token, or by another server, is known as long as that is believed: not when the key,
// the issuer or the server is another one.
func TestRightsEndWithTheirSource(t *testing.T) {
	token := Credentials{Token: sign(t, "HS256", []byte(testSecret), "", good(nil))}
	secret := JWT{Secret: testSecret, Issuer: "issuer", Audience: "sluice"}
	jwt := func(change func(o *JWT)) Options {
		o := Options{Mode: ModeJWT, JWT: secret}
		change(&o.JWT)
		return o
	}
	callback := func(url string) Options {
		return Options{Mode: ModeHTTP, HTTP: HTTP{URL: url}, Client: server(always(200).serve).client()}
	}
	signed, asked := jwt(func(*JWT) {}), callback("http://auth.test/")
	for _, c := range []struct {
		name          string
		before, after Options
		want          bool
	}{
		{"jwt, the same", signed, signed, true},
		{"another secret", signed, jwt(func(o *JWT) { o.Secret = strings.Repeat("z", 32) }), false},
		{"keys in place of a secret", signed, jwt(func(o *JWT) { o.Secret, o.JWKSURL = "", "http://keys.test/" }), false},
		{"another issuer", signed, jwt(func(o *JWT) { o.Issuer = "other" }), false},
		{"any issuer", signed, jwt(func(o *JWT) { o.Issuer = "" }), false},
		{"another audience", signed, jwt(func(o *JWT) { o.Audience = "other" }), false},
		{"expiry is enforced", signed, jwt(func(o *JWT) { o.EnforceExpiry = true }), true},
		{"http, the same", asked, callback("http://auth.test/"), true},
		{"another server", asked, callback("http://auth.test/2"), false},
		{"another mode", asked, signed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := must(t, c.before), must(t, c.after)
			r := Request{Action: Publish, Stream: "auth_1", Credentials: token, Remote: here}
			p, err := before.Authorize(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = after.Renew(t.Context(), p, r)
			if got := after.Holds(p, Publish, "auth_1"); got != c.want || (err == nil) != c.want {
				t.Errorf("holds: %v, %v", got, err)
			}
			if p, err = before.Identify(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if _, err = after.Renew(t.Context(), p, r); (err == nil) != c.want {
				t.Errorf("by a cookie: %v", err)
			}
		})
	}
}
