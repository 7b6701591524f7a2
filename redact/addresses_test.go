package redact

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

// I42: a public address is told as its network, wherever it stands.
func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.7":                         "203.0.113.x",
		"203.0.113.7:5000":                    "203.0.113.x:5000",
		"from 203.0.113.7.":                   "from 203.0.113.x.",
		"203.0.113.7, 198.51.100.255":         "203.0.113.x, 198.51.100.x",
		"udp4/203.0.113.7:9":                  "udp4/203.0.113.x:9",
		"2606:4700:10::6814:179a":             "2606:4700:10:x",
		"2606::1":                             "2606:0:0:x",
		"2606:4700:10::":                      "2606:4700:10:x",
		"[2606:4700:10::6814]:443":            "[2606:4700:10:x]:443",
		"2606:4700:10::6814: refused":         "2606:4700:10:x: refused",
		"::ffff:203.0.113.7":                  "203.0.113.x",
		"[::ffff:203.0.113.7]:443":            "[203.0.113.x]:443",
		"candidate 1 udp 9 203.0.113.7 9 typ": "candidate 1 udp 9 203.0.113.x 9 typ",
		"64:ff9b::203.0.113.7":                "64:ff9b:0:x",
		// These tell nobody's place.
		"127.0.0.1:8080":      "127.0.0.1:8080",
		"[::1]:8080":          "[::1]:8080",
		"192.168.1.20":        "192.168.1.20",
		"10.0.0.1":            "10.0.0.1",
		"fd00::1":             "fd00::1",
		"fe80::1%eth0":        "fe80::1%eth0",
		"0.0.0.0:8080, :8080": "0.0.0.0:8080, :8080",
		// These are none.
		"21:46:45":                "21:46:45",
		"2026-11-21T21:46:45.123": "2026-11-21T21:46:45.123",
		"AA:BB:CC:DD:EE:FF":       "AA:BB:CC:DD:EE:FF",
		"sha-256 0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9": "sha-256 0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9",
		"1.22.0":               "1.22.0",
		"Chrome/156.0.8078.73": "Chrome/156.0.8078.73",
		"a::b is C++":          "a::b is C++",
		"a.b.c.d":              "a.b.c.d",
		"GstX264Enc::frame":    "GstX264Enc::frame",
		"":                     "",
	} {
		if got := Addresses(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if again := Addresses(want); again != want {
			t.Errorf("%q becomes %q at the second time", want, again)
		}
	}
}

// I42: the log of a gateway that shortens shows no address whole, and hides secrets as ever.
func TestHandlerShortens(t *testing.T) {
	var out bytes.Buffer
	h := Handler(slog.NewJSONHandler(&out, nil), Addresses)
	slog.New(h).With("with", "203.0.113.9").WithGroup("g").Info("viewer 203.0.113.8 comes", "remote", netip.MustParseAddrPort("203.0.113.7:9"),
		"url", "rtsp://u:"+canary+"@203.0.113.6/", slog.Group("in", "ip", netip.MustParseAddr("2606:4700:10::6814")))
	got := out.String()
	for _, hidden := range []string{"203.0.113.6", "203.0.113.7", "203.0.113.8", "203.0.113.9", "6814", canary} {
		if strings.Contains(got, hidden) {
			t.Errorf("%s is in %s", hidden, got)
		}
	}
	if strings.Count(got, "203.0.113.x") != 4 || !strings.Contains(got, "2606:4700:10:x") {
		t.Errorf("got %s", got)
	}
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"203.0.113.7:5000", "[::ffff:203.0.113.7]", "2606:4700:10::6814:", ":::::", "1.2.3.4.5.6.7.8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		Addresses(s)
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && public(a.Unmap()) && Addresses(s) == s {
			t.Errorf("%q stays whole", s)
		}
	})
}
