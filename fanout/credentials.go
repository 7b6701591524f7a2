package fanout

import "crypto/rand"

// ufragLength leaves 60 random bits: so many sessions of one port have different ones.
const ufragLength = 12

// credentials are what both sides of a session prove ICE checks with (RFC 8445, section 5.3). They are secrets.
type credentials struct {
	ufrag, pwd             string // ours
	remoteUfrag, remotePwd string
}

// newCredentials draws ours at random: letters and digits only, 130 bits in the password.
func newCredentials(remoteUfrag, remotePwd string) credentials {
	return credentials{
		ufrag: rand.Text()[:ufragLength], pwd: rand.Text(),
		remoteUfrag: remoteUfrag, remotePwd: remotePwd,
	}
}
