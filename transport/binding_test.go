package transport

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

// unhex writes bytes of an RFC down.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// header is that of a reply with the transaction ID of RFC 5769.
const rfc5769ID = "b7e7a701bc34d686fa87dfae"

var bindingReplies = map[string]struct {
	hex    string
	reply  bool
	mapped string // "": none
}{
	"RFC 5769 2.2": {"0101003c2112a442" + rfc5769ID + "8022000b7465737420766563746f7220" + "002000080001a147e112a643" +
		"000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96", true, "192.0.2.1:32853"},
	"RFC 5769 2.3": {"010100482112a442" + rfc5769ID + "8022000b7465737420766563746f7220" +
		"002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9" + "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" +
		"80280004c8fb0b4c", true, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"},
	"MAPPED-ADDRESS alone":   {"0101000c2112a442" + rfc5769ID + "0001000800011f90c0000201", true, "192.0.2.1:8080"},
	"MAPPED-ADDRESS first":   {"010100182112a442" + rfc5769ID + "0001000800011f900a000001" + "002000080001a147e112a643", true, "192.0.2.1:32853"},
	"error":                  {"0111000c2112a442" + rfc5769ID + "002000080001a147e112a643", true, ""},
	"without an address":     {"010100002112a442" + rfc5769ID, true, ""},
	"family of another kind": {"0101000c2112a442" + rfc5769ID + "002000080002a147e112a643", true, ""},
	"port 0":                 {"0101000c2112a442" + rfc5769ID + "0020000800012112e112a643", true, ""},
	"address of five bytes":  {"010100102112a442" + rfc5769ID + "002000090001a147e112a64300000000", true, ""},
	"attribute past the end": {"0101000c2112a442" + rfc5769ID + "002000ff0001a147e112a643", true, ""},
	"unpadded end":           {"010100052112a442" + rfc5769ID + "8022000174", true, ""},
	"request":                {"000100002112a442" + rfc5769ID, false, ""},
	"indication":             {"001100002112a442" + rfc5769ID, false, ""},
	"another method":         {"010300002112a442" + rfc5769ID, false, ""},
	"no cookie":              {"0101000000000000" + rfc5769ID, false, ""},
	"length of another":      {"010100042112a442" + rfc5769ID, false, ""},
	"short":                  {"0101", false, ""},
	"nothing":                {"", false, ""},
}

func TestBindingReplies(t *testing.T) {
	for name, c := range bindingReplies {
		t.Run(name, func(t *testing.T) {
			data := unhex(t, c.hex)
			id, ok := replied(data)
			if ok != c.reply || ok && !bytes.Equal(id[:], unhex(t, rfc5769ID)) {
				t.Fatalf("is a reply: %t, to %x", ok, id)
			}
			if !ok {
				return
			}
			var want netip.AddrPort
			if c.mapped != "" {
				want = netip.MustParseAddrPort(c.mapped)
			}
			if got, ok := mapped(data); got != want || ok != want.IsValid() {
				t.Errorf("tells %v, %t, want %v", got, ok, want)
			}
		})
	}
}

func FuzzBindingReply(f *testing.F) {
	for _, c := range bindingReplies {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, ok := replied(data); !ok {
			return
		}
		if a, ok := mapped(data); ok != a.IsValid() || ok && (a.Port() == 0 || a.Addr().Is4In6()) {
			t.Errorf("tells %v, %t", a, ok)
		}
	})
}
