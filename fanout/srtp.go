package fanout

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// srtpKeys are the master keys and salts of one session (RFC 5764, section 4.2).
type srtpKeys struct {
	profile       srtp.ProtectionProfile
	local, remote struct{ key, salt []byte }
}

// exportKeys takes the keys from those of a finished handshake in which we were the server.
func exportKeys(profile uint16, from srtp.KeyingMaterialExporter) (srtpKeys, error) {
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(from, false); err != nil {
		return srtpKeys{}, fmt.Errorf("export the keys of SRTP: %w", err)
	}
	k := srtpKeys{profile: config.Profile}
	k.local.key, k.local.salt = config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt
	k.remote.key, k.remote.salt = config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt
	return k, nil
}

const (
	// maxSources bounds the SSRCs that one session keeps state of, in either direction: what comes from others, or is
	// to go to others, is refused.
	maxSources = 8
	// maxAhead is how far a new packet may be ahead of the newest: sequence numbers are contiguous, and what seems
	// further ahead is a resend from too far behind.
	maxAhead = 1024
	// maxBehind is how far back a sequence number still tells its rollover (RFC 3711, section 3.3.1).
	maxBehind = 1<<15 - 1
	// replayWindow is that of SRTCP (RFC 3711, section 3.3.2).
	replayWindow = 64
)

var (
	errNoRoom     = errors.New("the buffer has no room for the packet's protection")
	errNotSealed  = errors.New("the packet is no RTP or RTCP that could be protected")
	errSources    = errors.New("the session has too many sources")
	errNonceReuse = errors.New("the sequence number is too far from the newest: its rollover is not certain")
	errReplayed   = errors.New("the packet came before")
	errForged     = errors.New("the packet is not the viewer's")
)

// sealer protects what goes to one viewer. It belongs to one goroutine.
//
// A packet that is sealed twice gives the same bytes twice. AES-GCM is broken by two packets under one nonce, which
// is made of SSRC and index; so whoever sends a sequence number again sends the same packet again, headers included,
// and sealRTP refuses indices that it can't be sure of.
type sealer struct {
	context    *srtp.Context
	rtpSize    int // added to a packet
	rtcpSize   int
	header     rtp.Header
	rtcpHeader rtcp.Header
	sent       sources
}

func newSealer(k srtpKeys) (*sealer, error) {
	c, err := srtp.CreateContext(k.local.key, k.local.salt, k.profile)
	if err != nil {
		return nil, fmt.Errorf("make the keys of SRTP: %w", err)
	}
	rtpSize, rtcpSize, err := overheads(k.profile)
	if err != nil {
		return nil, err
	}
	return &sealer{context: c, rtpSize: rtpSize, rtcpSize: rtcpSize}, nil
}

// overheads are the bytes that a profile adds to RTP and to RTCP, which has an index of 4 bytes as well.
func overheads(p srtp.ProtectionProfile) (ofRTP, ofRTCP int, err error) {
	aead, err := p.AEADAuthTagLen()
	if err != nil {
		return 0, 0, fmt.Errorf("look up the SRTP profile: %w", err)
	}
	ofRTP, err = p.AuthTagRTPLen()
	if err != nil {
		return 0, 0, fmt.Errorf("look up the SRTP profile: %w", err)
	}
	ofRTCP, err = p.AuthTagRTCPLen()
	if err != nil {
		return 0, 0, fmt.Errorf("look up the SRTP profile: %w", err)
	}
	return aead + ofRTP, aead + ofRTCP + 4, nil
}

// overhead is what sealing adds to an RTP packet, in bytes; RTCP grows by 4 more.
func (s *sealer) overhead() int { return s.rtpSize }

// sealRTP protects the packet buf[:n] in place and returns its new size. It needs overhead bytes of capacity behind
// the packet. A sequence number may come again, as a resend of the same packet, until it is 32767 behind the newest;
// errNonceReuse is returned for any other that is not shortly ahead.
func (s *sealer) sealRTP(buf []byte, n int) (int, error) {
	if n < 12 || n > len(buf) {
		return 0, errNotSealed
	}
	if cap(buf) < n+s.rtpSize {
		return 0, errNoRoom
	}
	from, err := s.sent.of(binary.BigEndian.Uint32(buf[8:]))
	if err != nil {
		return 0, err
	}
	index, err := from.index(binary.BigEndian.Uint16(buf[2:]))
	if err != nil {
		return 0, err
	}
	sealed, err := s.context.EncryptRTP(buf[:0], buf[:n], &s.header)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotSealed, err)
	}
	from.took(index)
	return len(sealed), nil
}

// sealRTCP is the same for a compound RTCP packet, which needs overhead+4 bytes. Each gets an index of its own.
func (s *sealer) sealRTCP(buf []byte, n int) (int, error) {
	if n < 8 || n > len(buf) {
		return 0, errNotSealed
	}
	if cap(buf) < n+s.rtcpSize {
		return 0, errNoRoom
	}
	if _, err := s.sent.of(binary.BigEndian.Uint32(buf[4:])); err != nil {
		return 0, err
	}
	sealed, err := s.context.EncryptRTCP(buf[:0], buf[:n], &s.rtcpHeader)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNotSealed, err)
	}
	return len(sealed), nil
}

// opener reads the RTCP of one viewer. It belongs to one goroutine.
type opener struct {
	context *srtp.Context
	size    int // added to a packet
	tail    int // from the end of a packet back to its index
	header  rtcp.Header
	seen    sources
}

func newOpener(k srtpKeys) (*opener, error) {
	c, err := srtp.CreateContext(k.remote.key, k.remote.salt, k.profile, srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, fmt.Errorf("make the keys of SRTCP: %w", err)
	}
	_, size, err := overheads(k.profile)
	if err != nil {
		return nil, err
	}
	tag, err := k.profile.AuthTagRTCPLen()
	if err != nil {
		return nil, fmt.Errorf("look up the SRTP profile: %w", err)
	}
	return &opener{context: c, size: size, tail: tag + 4}, nil
}

// openRTCP opens a packet in place, which is spoiled even if it isn't the viewer's. It returns errForged for what
// doesn't authenticate or is not encrypted, errReplayed for what came before, and errSources for more SSRCs than a
// viewer has.
func (o *opener) openRTCP(data []byte) ([]byte, error) {
	if len(data) < 8+o.size || data[0]>>6 != 2 || data[len(data)-o.tail]&0x80 == 0 {
		return nil, errForged
	}
	ssrc := binary.BigEndian.Uint32(data[4:])
	if !o.seen.has(ssrc) && o.seen.n == maxSources {
		return nil, errSources
	}
	opened, err := o.context.DecryptRTCP(data[:0], data, &o.header)
	switch {
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		return nil, errForged
	case err != nil: // too short and the like was found out above
		return nil, errReplayed
	}
	_, err = o.seen.of(ssrc)
	return opened, err
}

// sources are the SSRCs of one direction.
type sources struct {
	list [maxSources]source
	n    int
}

// source is where one SSRC stands: the indices (rollovers and sequence number) of what was sent first, and newest.
type source struct {
	ssrc          uint32
	begun         bool
	first, newest uint64
}

func (s *sources) has(ssrc uint32) bool {
	for i := range s.n {
		if s.list[i].ssrc == ssrc {
			return true
		}
	}
	return false
}

// of returns the state of an SSRC, a new one if there is room.
func (s *sources) of(ssrc uint32) (*source, error) {
	for i := range s.n {
		if s.list[i].ssrc == ssrc {
			return &s.list[i], nil
		}
	}
	if s.n == maxSources {
		return nil, errSources
	}
	s.list[s.n] = source{ssrc: ssrc}
	s.n++
	return &s.list[s.n-1], nil
}

// index tells the rollover of a sequence number, near the newest and not before the first.
func (s *source) index(seq uint16) (uint64, error) {
	if !s.begun {
		return uint64(seq), nil
	}
	off := int64(int16(seq - uint16(s.newest)))
	if off > maxAhead || off < -maxBehind || int64(s.newest)+off < int64(s.first) {
		return 0, errNonceReuse
	}
	return uint64(int64(s.newest) + off), nil
}

// took notes that an index was used.
func (s *source) took(index uint64) {
	if !s.begun {
		s.begun, s.first, s.newest = true, index, index
	}
	s.newest = max(s.newest, index)
}
