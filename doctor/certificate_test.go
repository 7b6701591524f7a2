package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// made is a certificate of a test, signed by itself unless there is an authority.
type made struct {
	names     []string
	addresses []net.IP
	from, to  time.Duration // from now
	authority string
}

func (m made) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	self := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, DNSNames: m.names, IPAddresses: m.addresses,
		NotBefore: time.Now().Add(m.from), NotAfter: time.Now().Add(m.to), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	parent, signer := self, key
	if m.authority != "" {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
		parent = &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: m.authority}}
	}
	der, err := x509.CreateCertificate(rand.Reader, self, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

const year = 365 * 24 * time.Hour

var here = []net.IP{net.IPv4(127, 0, 0, 1)}

var certificates = map[string]struct {
	made    made
	options Options
	want    string // within the report, in which lines are joined
}{
	"self-signed": {
		made{addresses: here, to: year},
		Options{},
		"warn certificate: the gateway has signed it itself Browsers ask once whether to go on, then all of the page works. Other players and TURN over TLS refuse it.",
	},
	"expired": {
		made{addresses: here, from: -year, to: -time.Hour},
		Options{},
		`browsers refuse the page, and players the stream. > http.tls_cert = "FILE" # a new one, read again as soon as it is there`,
	},
	"expired, of an authority": {
		made{addresses: here, from: -year, to: -time.Hour}, Options{Setup: &Setup{TLS: "acme"}}, "> gateway --config FILE # its log says why it got no new one",
	},
	"not yet valid": {
		made{addresses: here, from: time.Hour, to: year}, Options{}, "FAIL certificate: it is not valid yet It begins to be valid on",
	},
	"soon": {
		made{addresses: here, to: 5*24*time.Hour + time.Hour}, Options{}, "warn certificate: it expires in 5 days",
	},
	"another name": {
		made{names: []string{"cam.example"}, to: year},
		Options{},
		"FAIL certificate: it is not for 127.0.0.1 It is for cam.example: browsers warn, and players refuse. Use a name in URLs, rather than the address. > --url https://cam.example:8889",
	},
	"no name": {
		made{to: year}, Options{}, "FAIL certificate: it is not for 127.0.0.1 It is for no name at all: browsers warn, and players refuse. Use one of its names",
	},
	"another name, found by the configuration": {
		made{names: []string{"cam.example"}, to: year}, Options{ServerName: "cam.example"}, "warn certificate: the gateway has signed it itself",
	},
	"chain not whole": {
		made{addresses: here, to: year, authority: "Some CA"}, Options{}, `FAIL certificate: the chain is not whole It was made by Some CA, which this machine does not know`,
	},
}

func TestCertificates(t *testing.T) {
	for name, c := range certificates {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			server := httptest.NewUnstartedServer(f)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{c.made.certificate(t)}}
			server.StartTLS()
			defer server.Close()
			c.options.Token = "t"
			got, _ := f.examineAt(t, server.URL, c.options)
			if !strings.Contains(strings.Join(strings.Fields(got), " "), c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// A token goes to a machine that has proved who it is, to this one, or where somebody insists.
func TestTokenIsWithheld(t *testing.T) {
	far, own := "192.0.2.77:443", "127.0.0.1:443"
	for _, c := range []struct {
		name              string
		remote            string
		secure            bool
		trusted, insecure bool
		withheld          bool
	}{
		{"trusted", far, true, true, false, false},
		{"not trusted", far, true, false, false, true},
		{"insisted", far, true, false, true, false},
		{"this machine", own, true, false, false, false},
		{"plain HTTP", far, false, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &examination{o: Options{Token: "t", Insecure: c.insecure}, trusted: c.trusted, door: &door{base: &url.URL{}}}
			p := &page{remote: mustAddr(c.remote)}
			if c.secure {
				p.tls = &tls.ConnectionState{}
			}
			e.show(p)
			if e.withheld != c.withheld || (e.door.token == "") != c.withheld {
				t.Errorf("withheld %v, sent %q", e.withheld, e.door.token)
			}
			if f := e.refused(http.StatusUnauthorized, p); c.withheld != strings.Contains(f.What, "not sent") {
				t.Errorf("%+v", f)
			}
		})
	}
}

// Plain HTTP at a port for TLS, and the other way round.
func TestWrongScheme(t *testing.T) {
	f := &fake{}
	plain, secure := httptest.NewServer(f), httptest.NewTLSServer(f)
	defer plain.Close()
	defer secure.Close()
	for name, c := range map[string]struct{ url, want string }{
		"https, of plain HTTP": {"https" + strings.TrimPrefix(plain.URL, "http"), "speaks no TLS"},
		"http, of TLS":         {"http" + strings.TrimPrefix(secure.URL, "https"), "speaks TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			got, healthy := f.examineAt(t, c.url, Options{})
			if healthy || !strings.Contains(got, c.want) {
				t.Error(got)
			}
		})
	}
}

// A redirect of the whole host is followed once, and told: few players follow it.
func TestRedirect(t *testing.T) {
	f := &fake{}
	server := httptest.NewServer(f)
	defer server.Close()
	before := httptest.NewServer(http.RedirectHandler(server.URL+"/healthz", http.StatusPermanentRedirect))
	defer before.Close()
	got, healthy := f.examineAt(t, before.URL, Options{})
	if joined := strings.Join(strings.Fields(got), " "); !healthy || !strings.Contains(joined, "leads to "+server.URL+" Players post their offers") ||
		!strings.Contains(joined, "> --url "+server.URL) || !strings.Contains(joined, "ok session over udp 127.0.0.1:8189") {
		t.Error(got)
	}
}
