package config

import (
	"strings"
	"testing"
)

func TestUDPListenAddr(t *testing.T) {
	for _, tc := range []struct{ http, udp, want string }{
		{"127.0.0.1:8889", "8189", "127.0.0.1:8189"},
		{"[::1]:8889", "8189", "[::1]:8189"},
		{":8889", "8189", ":8189"},
		{"127.0.0.1:8889", ":8189", ":8189"},
		{"127.0.0.1:8889", "192.0.2.1:8189", "192.0.2.1:8189"},
		{"broken", "8189", ":8189"},
	} {
		c := Default()
		c.HTTP.Listen, c.WebRTC.ListenUDP = tc.http, tc.udp
		if got := c.UDPListenAddr(); got != tc.want {
			t.Errorf("http %q, udp %q: got %q, want %q", tc.http, tc.udp, got, tc.want)
		}
		if got := c.TCPListenAddr(); got != "" {
			t.Errorf("got %q without listen_tcp", got)
		}
		c.WebRTC.ListenTCP = tc.udp
		if got := c.TCPListenAddr(); got != tc.want {
			t.Errorf("http %q, tcp %q: got %q, want %q", tc.http, tc.udp, got, tc.want)
		}
	}
}

// J154: ICE over TCP has a port of its own; UDP may have the same number.
func TestListenTCPClash(t *testing.T) {
	for port, ok := range map[string]bool{"8889": false, "127.0.0.1:8889": false, "8189": true, "": true} {
		c := Default()
		c.WebRTC.ListenTCP = port
		if err := c.Validate(); ok != (err == nil) {
			t.Errorf("listen_tcp = %q: %v", port, err)
		}
	}
}

// J160: without authentication, nothing listens outside loopback.
func TestListenersWithoutAuth(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "localhost:1": true, "LOCALHOST:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": false, "[fe80::1%eth0]:1": false, "gateway.example.org:1": false, "localhost.example.org:1": false,
	} {
		for _, key := range []string{"http.listen", "webrtc.listen_udp", "webrtc.listen_tcp"} {
			c := Default()
			c.HTTP.Listen = "127.0.0.1:8889"
			switch key {
			case "http.listen":
				c.HTTP.Listen = address
				c.WebRTC.ListenUDP = "127.0.0.1:8189"
			case "webrtc.listen_udp":
				c.WebRTC.ListenUDP = address
			case "webrtc.listen_tcp":
				c.WebRTC.ListenTCP = address
			}
			err := c.Validate()
			if ok != (err == nil) {
				t.Errorf("%s = %q: %v", key, address, err)
			} else if err != nil && (!strings.HasPrefix(err.Error(), key) || !strings.Contains(err.Error(), `write "127.0.0.1:1"`)) {
				t.Errorf("%s = %q: %v", key, address, err)
			}
		}
	}
}

func TestListenAddresses(t *testing.T) {
	for _, address := range []string{"", "8889", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:65536", "::1:8889", "a b:1", "999.0.0.1:1", "[localhost:1"} {
		if message := (listener{address: address}).check(); message == "" {
			t.Errorf("%q is accepted", address)
		}
	}
	for _, address := range []string{":0", "127.0.0.1:65535", "[::1]:1", "[fe80::1%eth0]:1", "gateway-1.example.org:80"} {
		if message := (listener{address: address}).check(); message != "" {
			t.Errorf("%q: %s", address, message)
		}
	}
}

// J154.
func TestListenersClash(t *testing.T) {
	for _, tc := range []struct {
		name               string
		network1, address1 string
		network2, address2 string
		clash              bool
	}{
		{"same", "tcp", "127.0.0.1:80", "tcp", "127.0.0.1:80", true},
		{"other network", "tcp", "127.0.0.1:80", "udp", "127.0.0.1:80", false},
		{"other port", "tcp", "127.0.0.1:80", "tcp", "127.0.0.1:81", false},
		{"other address", "tcp", "127.0.0.1:80", "tcp", "127.0.0.2:80", false},
		{"wildcard first", "udp", ":80", "udp", "127.0.0.1:80", true},
		{"wildcard second", "udp", "127.0.0.1:80", "udp", "0.0.0.0:80", true},
		{"name and address", "tcp", "localhost:80", "tcp", "127.0.0.1:80", true},
		{"two spellings", "tcp", "[::1]:80", "tcp", "[0:0::1]:080", true},
		{"any free port", "tcp", "127.0.0.1:0", "tcp", "127.0.0.1:0", false},
		{"same name", "tcp", "a.example:80", "tcp", "a.example:80", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			faults := checkClashes([]listener{
				{key: "a.listen", network: tc.network1, address: tc.address1}, {key: "b.listen", network: tc.network2, address: tc.address2},
			})
			if tc.clash != (len(faults) == 1) {
				t.Fatalf("got %v", faults)
			}
			if tc.clash && (faults[0].Key != "b.listen" || !strings.Contains(faults[0].Message, "that of a.listen")) {
				t.Errorf("got %v", faults)
			}
		})
	}
}
