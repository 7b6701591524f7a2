package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"time"
)

// makeSelfSigned makes a certificate on P-256 for the names and addresses, and the PEM text of both its halves.
func makeSelfSigned(names []string, now time.Time) (*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Sluice"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(selfSignedLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if a, aerr := netip.ParseAddr(n); aerr == nil {
			template.IPAddresses = append(template.IPAddresses, net.IP(a.AsSlice()))
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	text, err := encodePair(key, [][]byte{der})
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	return &pair, text, err
}

// encodePair is a key and a chain as PEM text, the key first.
func encodePair(key *ecdsa.PrivateKey, chain [][]byte) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = pem.Encode(&text, &pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	for _, c := range chain {
		if err == nil {
			err = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: c})
		}
	}
	return text.Bytes(), err
}

// join adds names of before to those of now, while there are few.
func join(now, before []string) []string {
	all := clean(slices.Concat(now, before))
	if len(all) > maxNames {
		return now
	}
	return all
}

// sans are the names and addresses that a certificate is for.
func sans(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			names = append(names, a.Unmap().String())
		}
	}
	return names
}
