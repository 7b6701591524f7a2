package transport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"testing"
	"time"
)

func TestNewCertificate(t *testing.T) {
	c, err := NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	key, ok := c.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() || !key.PublicKey.Equal(c.Leaf.PublicKey) {
		t.Errorf("the key is %T", c.PrivateKey)
	}
	if err = c.Leaf.CheckSignature(c.Leaf.SignatureAlgorithm, c.Leaf.RawTBSCertificate, c.Leaf.Signature); err != nil {
		t.Errorf("it is not signed by itself: %v", err)
	}
	if now := time.Now(); c.Leaf.NotBefore.After(now.Add(-time.Hour)) || c.Leaf.NotAfter.Before(now.AddDate(5, 0, 0)) {
		t.Errorf("it is good from %v to %v", c.Leaf.NotBefore, c.Leaf.NotAfter)
	}
	other, err := NewCertificate()
	if err != nil || bytes.Equal(other.Certificate[0], c.Certificate[0]) {
		t.Errorf("two are the same: %v", err)
	}
}
