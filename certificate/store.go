package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// accountFile holds the key of our account. No host is called so.
const accountFile = "account.key"

// authorityDir makes a folder for each authority: what a test authority gave must not be shown when the real one is
// asked.
func authorityDir(dir, directory string) (string, error) {
	u, err := url.Parse(directory)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("http.acme_directory: %q is not an https URL", directory)
	}
	sum := sha256.Sum256([]byte(directory))
	dir = filepath.Join(dir, "acme-"+u.Hostname()+"-"+hex.EncodeToString(sum[:4]))
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep the certificates: %w", err)
	}
	return dir, nil
}

// file is where the certificate of a host and its key are kept.
func (a *authority) file(host string) string { return filepath.Join(a.dir, host+".pem") }

// load takes the certificate of a host that was kept from before. One that has expired or is damaged is got anew.
func (a *authority) load(host string) {
	text, err := os.ReadFile(a.file(host))
	if err != nil {
		return
	}
	pair, err := tls.X509KeyPair(text, text)
	switch {
	case err != nil:
		a.log.Warn("the certificate that was kept is damaged and will be got anew", "host", host, "err", err)
	case time.Now().Before(pair.Leaf.NotAfter) && pair.Leaf.VerifyHostname(host) == nil:
		a.certs[host] = &pair
		a.log.Info("the certificate from before is still good", "host", host, "not_after", pair.Leaf.NotAfter)
	}
}

// accountKey is the key of our account with the authority, made at the first order.
func (a *authority) accountKey() (*ecdsa.PrivateKey, error) {
	name := filepath.Join(a.dir, accountFile)
	text, err := os.ReadFile(name)
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s holds no key", name)
		}
		return x509.ParseECPrivateKey(block.Bytes)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if text, err = encodePair(key, nil); err != nil {
		return nil, err
	}
	return key, writeFile(name, text)
}
