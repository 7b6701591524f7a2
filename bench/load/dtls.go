//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// profiles are those of Chromium, in its order. As DTLS server it takes the first that the other side offers as
// well; as client it offers them all and takes what the server picks.
var profiles = []dtls.SRTPProtectionProfile{
	dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM,
}

var profileNames = map[dtls.SRTPProtectionProfile]string{
	dtls.SRTP_AES128_CM_HMAC_SHA1_80: "CM-SHA1-80",
	dtls.SRTP_AEAD_AES_128_GCM:       "GCM-128",
	dtls.SRTP_AEAD_AES_256_GCM:       "GCM-256",
}

var errNoProfile = errors.New("no SRTP profile is agreed on")

// keys are the contexts of SRTP after the handshake.
type keys struct {
	profile string
	in, out *srtp.Context
}

// handshake goes through DTLS and takes the keys out of it. The server's certificate is not checked: the server under
// test is our own.
func (v *Viewer) handshake(ctx context.Context) error {
	conn, err := v.dtls()
	if err != nil {
		return fmt.Errorf("begin DTLS: %w", err)
	}
	v.pipe.conn = conn
	if err = conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("go through DTLS: %w", err)
	}
	k, err := v.derive(conn)
	if err != nil {
		return fmt.Errorf("derive the keys of SRTP: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = k
	v.keyframe.catchUp(k.in)
	return nil
}

func (v *Viewer) dtls() (*dtls.Conn, error) {
	verify := dtls.WithInsecureSkipVerify(true)
	certificate, offered := dtls.WithCertificates(v.load.certificate), dtls.WithSRTPProtectionProfiles(profiles...)
	if !v.answer.active {
		return dtls.ClientWithOptions(v.pipe, v.pipe.remote, certificate, offered, verify)
	}
	return dtls.ServerWithOptions(v.pipe, v.pipe.remote, certificate, offered, verify,
		dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true))
}

func (v *Viewer) derive(conn *dtls.Conn) (*keys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errNoProfile
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errNoProfile
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)} // both are numbered by IANA
	if err := c.ExtractSessionKeysFromDTLS(&state, !v.answer.active); err != nil {
		return nil, err
	}
	in, inErr := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile)
	out, outErr := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	return &keys{profile: profileNames[profile], in: in, out: out}, errors.Join(inErr, outErr)
}
