package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// soon is how long before its end a certificate is doubted.
const soon = 14 * 24 * time.Hour

// checkCertificate reads the files of tls_cert and tls_key. What is only doubtful comes second.
func (h HTTP) checkCertificate(now time.Time) (faults, doubts Faults) {
	if h.TLS != "" || h.TLSCert == "" || h.TLSKey == "" {
		return nil, nil
	}
	cert, err := readBounded(h.TLSCert)
	faults.add("http.tls_cert", err)
	key, err := readBounded(h.TLSKey)
	faults.add("http.tls_key", err)
	if len(faults) > 0 {
		return faults, nil
	}
	pair, failure := tls.X509KeyPair(cert, key)
	if failure != nil {
		faults.add("http.tls_key", "does not go with tls_cert: "+failure.Error()) // which holds none of the key
		return faults, nil
	}
	faults, doubts = checkDates(pair.Leaf, now)
	if info, err := os.Stat(h.TLSKey); err == nil && info.Mode().Perm()&0o004 != 0 {
		doubts.add("http.tls_key", "is a file that every user of this machine can read: make it private with chmod 600")
	}
	return faults, doubts
}

func checkDates(leaf *x509.Certificate, now time.Time) (faults, doubts Faults) {
	switch date := leaf.NotAfter.Format(time.DateOnly); {
	case now.After(leaf.NotAfter):
		faults.add("http.tls_cert", fmt.Sprintf("is a certificate that has expired on %s: no browser takes it", date))
	case now.Before(leaf.NotBefore):
		doubts.add("http.tls_cert", fmt.Sprintf("is a certificate that is valid from %s on: is the clock of this machine right?", leaf.NotBefore.Format(time.DateOnly)))
	case now.Add(soon).After(leaf.NotAfter):
		doubts.add("http.tls_cert", fmt.Sprintf("is a certificate that expires on %s: renew it", date))
	}
	return faults, doubts
}

// readBounded returns the text of a file, or a sentence.
func readBounded(path string) (text []byte, failure string) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, quote(path) + " is not a regular file"
	}
	if err == nil && info.Size() > maxFileBytes {
		return nil, fmt.Sprintf("%s has more than %d bytes", quote(path), maxFileBytes)
	}
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Sprintf("cannot read %s: %s", quote(path), reason(err))
	}
	return text, ""
}
