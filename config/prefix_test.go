package config

import (
	"fmt"
	"testing"
)

func TestPrefixes(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.0/8": "[10.0.0.0/8]", "10.1.2.3/8": "[10.0.0.0/8]", "192.0.2.1": "[192.0.2.1/32]", "2001:db8::1": "[2001:db8::1/128]",
		"::ffff:192.0.2.0/120": "[192.0.2.0/24]", "::ffff:192.0.2.1": "[192.0.2.1/32]", "0.0.0.0/0": "[0.0.0.0/0]",
		"": "[]", "10.0.0.0/33": "[]", "host": "[]", "fe80::1%eth0": "[]", "10.0.0.1:80": "[]",
	} {
		trusted, allowed := HTTP{TrustedProxies: []string{in}}.TrustedPrefixes(), Turn{AllowPeers: []string{in}}.AllowedPrefixes()
		if fmt.Sprint(trusted) != want || fmt.Sprint(allowed) != want {
			t.Errorf("%q: got %v and %v, want %s", in, trusted, allowed, want)
		}
		if message := checkNetwork(in); (message == "") != (want != "[]") {
			t.Errorf("%q: %s", in, message)
		}
	}
}

// J155.
func TestRelayPorts(t *testing.T) {
	for in, want := range map[string][2]uint16{
		"49152-65535": {49152, 65535}, "2000 - 3000": {2000, 3000}, "1024-1024": {1024, 1024},
		"": {}, "1024": {}, "1024-": {}, "-1024": {}, "1024-65536": {}, "a-b": {}, "1-2-3": {},
	} {
		first, last := Turn{RelayPorts: in}.Ports()
		if first != want[0] || last != want[1] {
			t.Errorf("%q: got %d to %d", in, first, last)
		}
		if message := checkPorts(in); (message == "") != (first > 0) {
			t.Errorf("%q: %s", in, message)
		}
	}
	for _, in := range []string{"65535-49152", "0-65535", "1023-2000", "80-90"} {
		if checkPorts(in) == "" {
			t.Errorf("%q is accepted", in)
		}
	}
}
