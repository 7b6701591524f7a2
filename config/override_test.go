package config

import (
	"strings"
	"testing"
	"time"
)

func TestOverrides(t *testing.T) {
	text := []byte("[http]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"loud\"\n")
	c, warnings, err := Parse(text, "config.toml", []string{
		"SLUICE_HTTP_LISTEN=localhost:2", "SLUICE_LIMITS_RING_MAX_MIB=8", "SLUICE_LIMITS_RING_MAX_AGE=2s", "SLUICE_LOG_LEVEL=warn",
		"SLUICE_AUTH_MODE=jwt", "SLUICE_AUTH_JWT_SECRET=0123456789abcdef0123456789abcdef", "SLUICE_AUTH_QUERY_TOKEN=true", "SLUICE_TURN_TTL=2h",
		"HTTP_LISTEN=x", "PATH=/bin", "broken",
	})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if c.HTTP.Listen != "localhost:2" || c.Limits.RingMaxMiB != 8 || c.Limits.RingMaxAge != 2*time.Second || c.Log.Level != "warn" ||
		c.Auth.Mode != "jwt" || string(c.Auth.JWT.Secret) != "0123456789abcdef0123456789abcdef" || !c.Auth.QueryToken || c.Turn.TTL != 2*time.Hour {
		t.Errorf("got %+v", c)
	}
}

// J152, J160: a fault names the variable, not the file.
func TestBadOverrides(t *testing.T) {
	for _, tc := range []struct{ name, entry, want string }{
		{"number", "SLUICE_LIMITS_RING_MAX_MIB=many", `SLUICE_LIMITS_RING_MAX_MIB: "many" is not a whole number that can be used`},
		{"duration", "SLUICE_WEBRTC_ICE_TIMEOUT=10", `SLUICE_WEBRTC_ICE_TIMEOUT: "10" is not a duration that can be used: write a number and its unit (ms, s, m, h), such as "10s"`},
		{"range", "SLUICE_LIMITS_RING_MAX_MIB=-1", `SLUICE_LIMITS_RING_MAX_MIB: -1 is too small: at least 0`},
		{"enum", "SLUICE_LOG_FORMAT=xml", `SLUICE_LOG_FORMAT: "xml" is not one of text, json`},
		{"empty", "SLUICE_LOG_FORMAT=", `SLUICE_LOG_FORMAT: "" is not one of text, json`},
		{"public", "SLUICE_WEBRTC_LISTEN_UDP=:8189", `SLUICE_WEBRTC_LISTEN_UDP: ":8189" can be reached from other machines`},
		{"TTL", "SLUICE_TURN_TTL=1s", `SLUICE_TURN_TTL: 1s is too small: at least 1m`},
		{"certificate without key", "SLUICE_HTTP_TLS_CERT=/a.pem", `config.toml: http.tls_key: is missing: tls_cert needs`},
		{"mode", "SLUICE_AUTH_MODE=public", `SLUICE_AUTH_MODE: "public" is not one of none, internal, jwt, http`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := Parse([]byte("[log]\nformat = \"text\"\n"), "config.toml", []string{tc.entry})
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestVariablesThatDoNothing(t *testing.T) {
	for _, tc := range []struct{ name, entry, want string }{
		{"unknown", "SLUICE_HTTP_LISEN=x", "SLUICE_HTTP_LISEN: no key of the configuration has this variable, so it does nothing; did you mean SLUICE_HTTP_LISTEN?"},
		{"list", "SLUICE_HTTP_ALLOW_ORIGINS=*", "SLUICE_HTTP_ALLOW_ORIGINS: does nothing: http.allow_origins is a list, which only the file can set"},
		{"users", "SLUICE_AUTH_USERS=x", "SLUICE_AUTH_USERS: does nothing: auth.users is a list, which only the file can set"},
		{"stream", "SLUICE_STREAMS_DOOR_SOURCE=demo:", "SLUICE_STREAMS_DOOR_SOURCE: no key of the configuration has this variable, so it does nothing"},
		{"used in the file", "SLUICE_PASSWORD=x", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, warnings, err := Parse([]byte(`streams.a.source = "rtsp://u:${SLUICE_PASSWORD}@cam/"`), "config.toml", []string{tc.entry, "SLUICE_PASSWORD=y"})
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for _, w := range warnings {
				got += w.String()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
