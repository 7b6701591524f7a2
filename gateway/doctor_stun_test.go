package gateway

import (
	"net/netip"
	"testing"
)

// The samples of RFC 5769 sections 2.2 and 2.3, of which the attributes that count are here.
var (
	sampleMask     = []byte("\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae")
	sampleQuestion = append([]byte("\x00\x01\x00\x00"), sampleMask...)
	software       = "\x80\x22\x00\x0btest vector\x20"
	mapped4        = "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	mapped6        = "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
)

func sample(kind, attributes string) []byte {
	return append(append([]byte(kind+"\x00"+string(rune(len(attributes)))), sampleMask...), attributes...)
}

var stunAnswers = map[string]struct {
	data []byte
	want netip.AddrPort // invalid: none
}{
	"IPv4":                 {sample("\x01\x01", software+mapped4), netip.MustParseAddrPort("192.0.2.1:32853")},
	"IPv6":                 {sample("\x01\x01", software+mapped6), netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:32853")},
	"error":                {sample("\x01\x11", software+mapped4), netip.AddrPort{}},
	"another's":            {append([]byte("\x01\x01\x00\x0c\x21\x12\xa4\x42another one!"), mapped4...), netip.AddrPort{}},
	"no address":           {sample("\x01\x01", software), netip.AddrPort{}},
	"an address cut short": {sample("\x01\x01", mapped4[:9]), netip.AddrPort{}},
	"a family of no size":  {sample("\x01\x01", "\x00\x20\x00\x04\x00\x01\xa1\x47"), netip.AddrPort{}},
	"a header cut short":   {sampleMask[:12], netip.AddrPort{}},
	"nothing":              {nil, netip.AddrPort{}},
}

func TestSTUNAnswer(t *testing.T) {
	for name, c := range stunAnswers {
		t.Run(name, func(t *testing.T) {
			if got, ok := stunMapped(c.data, sampleQuestion); got != c.want || ok != c.want.IsValid() {
				t.Errorf("%v, %v; want %v", got, ok, c.want)
			}
		})
	}
}

func FuzzSTUNAnswer(f *testing.F) {
	for _, c := range stunAnswers {
		f.Add(c.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, ok := stunMapped(data, sampleQuestion); ok != got.IsValid() {
			t.Errorf("%v, %v", got, ok)
		}
	})
}
