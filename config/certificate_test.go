package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair writes a certificate that is valid from and until days from now, and its key.
func pair(t *testing.T, from, until int) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.AddDate(0, 0, from), NotAfter: now.AddDate(0, 0, until)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return tempFile(t, "cert.pem", encode("CERTIFICATE", der), 0o644), tempFile(t, "key.pem", encode("PRIVATE KEY", secret), 0o600)
}

// J156: the files of a certificate are read before the gateway starts, and by --check.
func TestCertificateFiles(t *testing.T) {
	cert, key := pair(t, -1, 90)
	oldCert, oldKey := pair(t, -90, -1)
	soonCert, soonKey := pair(t, -1, 7)
	laterCert, laterKey := pair(t, 1, 90)
	open := tempFile(t, "open.pem", string(read(t, key)), 0o644)
	text := tempFile(t, "text.pem", "hunter2", 0o600)
	huge := tempFile(t, "huge.pem", string(bytes.Repeat([]byte("x"), maxFileBytes+1)), 0o600)
	for _, tc := range []struct{ name, cert, key, tls, fault, warning string }{
		{"good", cert, key, "", "", ""},
		{"no certificate", "/no/such.pem", key, "", `http.tls_cert: cannot read "/no/such.pem": no such file or directory`, ""},
		{"no key", cert, filepath.Join(t.TempDir(), "no.pem"), "", `no.pem": no such file or directory`, ""},
		{"a folder", cert, os.TempDir(), "", "is not a regular file", ""},
		{"too large", huge, key, "", "has more than 1048576 bytes", ""},
		{"another key", cert, oldKey, "", "http.tls_key: does not go with tls_cert: tls: private key does not match public key", ""},
		{"text", text, key, "", "http.tls_key: does not go with tls_cert", ""},
		{"text for a key", cert, text, "", "http.tls_key: does not go with tls_cert", ""},
		{"expired", oldCert, oldKey, "", "http.tls_cert: is a certificate that has expired on 2", ""},
		{"about to expire", soonCert, soonKey, "", "", "http.tls_cert: is a certificate that expires on 2"},
		{"of the future", laterCert, laterKey, "", "", "http.tls_cert: is a certificate that is valid from 2"},
		{"key that all can read", cert, open, "", "", "http.tls_key: is a file that every user of this machine can read"},
		{"not used", "/no/such.pem", "/no/such.pem", "self-signed", "", "http.tls_cert: does nothing beside tls"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := tempFile(t, "config.toml", "[http]\ntls_cert = '"+tc.cert+"'\ntls_key = '"+tc.key+"'\ntls = '"+tc.tls+"'\n", 0o600)
			_, warnings, err := Load(file, nil)
			if (tc.fault == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), tc.fault) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("got %v, want %s", err, tc.fault)
			}
			if (tc.warning == "") != (len(warnings) == 0) || len(warnings) > 0 && !strings.Contains(warnings[0].String(), tc.warning) {
				t.Errorf("got %v, want %s", warnings, tc.warning)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a file is shown: %v", err)
			}
		})
	}
}
