package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	soonExpired = 14 * 24 * time.Hour
	maxSkew     = 30 * time.Second // between two clocks: more, and tokens and TURN credentials may not be valid yet, or any more
)

// certificate looks at what the gateway has shown. It reports whether browsers accept it.
func (e *examination) certificate(p *page, now time.Time) (trusted bool, found []Finding) {
	if p.tls == nil {
		return false, nil
	}
	chain := p.tls.PeerCertificates
	leaf, what := chain[0], "certificate: "+title(chain[0])
	for _, f := range []*Finding{e.dates(leaf, now), e.names(leaf), e.trust(chain)} {
		if f != nil {
			found = append(found, *f)
		}
	}
	if len(found) == 0 {
		days := int(leaf.NotAfter.Sub(now).Hours() / 24)
		return true, []Finding{ok(fmt.Sprintf("%s, trusted, for %d more days", what, days))}
	}
	return false, found
}

// title is what a certificate is for.
func title(c *x509.Certificate) string {
	var names []string
	names = append(names, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch n := len(names); {
	case n == 0:
		return "for no name at all"
	case n > 3:
		return fmt.Sprintf("for %s and %d more", strings.Join(names[:3], ", "), n-3)
	}
	return "for " + strings.Join(names, ", ")
}

// dates is nil for a certificate that is valid for some time yet.
func (e *examination) dates(leaf *x509.Certificate, now time.Time) *Finding {
	var f Finding
	switch left := leaf.NotAfter.Sub(now); {
	case now.Before(leaf.NotBefore):
		f = fail("certificate: it is not valid yet", "It begins to be valid on "+day(leaf.NotBefore)+". Is the clock of this machine right?", "timedatectl set-ntp true")
	case left <= 0:
		f = fail("certificate: it has expired", "It was valid until "+day(leaf.NotAfter)+": browsers refuse the page, and players the stream.", e.renewal()...)
	case left < soonExpired && !e.renews():
		f = warn(fmt.Sprintf("certificate: it expires in %d days", int(left.Hours()/24)), "It is valid until "+day(leaf.NotAfter)+".", e.renewal()...)
	default:
		return nil
	}
	return &f
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// renews reports whether the gateway gets its certificates anew by itself.
func (e *examination) renews() bool {
	return e.o.Setup != nil && (e.o.Setup.TLS == "acme" || e.o.Setup.TLS == "self-signed")
}

// renewal is what gives the gateway another certificate.
func (e *examination) renewal() []string {
	if e.renews() {
		return []string{startCommand + "   # its log says why it got no new one"}
	}
	return []string{`http.tls_cert = "FILE"   # a new one, read again as soon as it is there`, `# or http.tls = "acme" and http.acme_hosts = ["NAME"]`}
}

// names is nil for a certificate that is for the host of the URL. A URL that was made of http.listen is none that
// viewers use.
func (e *examination) names(leaf *x509.Certificate) *Finding {
	host := e.door.base.Hostname()
	if e.o.ServerName != "" || leaf.VerifyHostname(host) == nil {
		return nil
	}
	what := "certificate: it is not for " + host
	why := "It is " + title(leaf) + ": browsers warn, and players refuse."
	if hostAddr(host).IsValid() && len(leaf.DNSNames) > 0 {
		f := fail(what, why+" Use a name in URLs, rather than the address.", "--url https://"+leaf.DNSNames[0]+portSuffix(e.door.base.Port()))
		return &f
	}
	f := fail(what, why+" Use one of its names, or have another made.", `http.acme_hosts = ["`+host+`"]   # with http.tls = "acme"`)
	return &f
}

func portSuffix(port string) string {
	if port == "" {
		return ""
	}
	return ":" + port
}

// trust is nil for a certificate with a chain to an authority that this machine knows. Names and dates are looked at
// apart.
func (e *examination) trust(chain []*x509.Certificate) *Finding {
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	valid := leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	_, err := leaf.Verify(x509.VerifyOptions{Intermediates: between, CurrentTime: valid})
	if err == nil {
		return nil
	}
	var f Finding
	switch {
	case leaf.CheckSignatureFrom(leaf) == nil || string(leaf.RawIssuer) == string(leaf.RawSubject):
		f = warn("certificate: the gateway has signed it itself", "Browsers ask once whether to go on, then all of the page works. "+
			"Other players and TURN over TLS refuse it. A name of yours gets one that all accept.", `http.tls = "acme"`, `http.acme_hosts = ["NAME"]`)
	case len(chain) == 1 && errors.As(err, new(x509.UnknownAuthorityError)):
		f = fail("certificate: the chain is not whole", "It was made by "+leaf.Issuer.CommonName+", which this machine does not know, and nothing between was sent. "+
			"http.tls_cert has to hold the certificate and then those of the authorities between.", "cat certificate.pem chain.pem > fullchain.pem", `http.tls_cert = "fullchain.pem"`)
	default:
		f = warn("certificate: it is not trusted by this machine", "Its authority is "+leaf.Issuer.CommonName+": "+err.Error()+". Only machines that have it installed go on.", `http.tls = "acme"`)
	}
	return &f
}

// clock compares the gateway's clock with ours.
func clock(p *page) []Finding {
	theirs, err := time.Parse(time.RFC1123, p.header.Get("Date"))
	if err != nil {
		return nil
	}
	between := p.sent.Add(p.took / 2)
	ahead := theirs.Add(time.Second / 2).Sub(between) // the header has whole seconds
	if ahead.Abs() <= maxSkew {
		return []Finding{ok("clock: that of the gateway and ours agree")}
	}
	return []Finding{fail("clock: that of the gateway is "+apart(ahead), "Tokens that expire and credentials for TURN are taken for ones of another time. Have both machines keep time.",
		"sudo timedatectl set-ntp true")}
}

// apart is by how much a clock differs from ours.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return ahead.Abs().Round(time.Second).String() + " behind ours"
	}
	return ahead.Round(time.Second).String() + " ahead of ours"
}
