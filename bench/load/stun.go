//go:build linux

package load

import (
	"encoding/binary"

	"github.com/pion/stun/v4"
)

// check sends an ICE check as the controlling side, with or without nomination (RFC 8445, section 7.1).
func (v *Viewer) check(nominate bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writeCheck(nominate)
}

// writeCheck is check for who holds mu.
func (v *Viewer) writeCheck(nominate bool) error {
	const priority = 110<<24 | 65535<<8 | 255 // peer reflexive
	m := stun.New()
	m.Type = stun.BindingRequest
	if err := m.NewTransactionID(); err != nil {
		return err
	}
	m.WriteHeader()
	m.Add(stun.AttrUsername, []byte(v.answer.ufrag+":"+v.ufrag))
	m.Add(stun.AttrPriority, binary.BigEndian.AppendUint32(nil, priority))
	m.Add(stun.AttrICEControlling, binary.BigEndian.AppendUint64(nil, v.number))
	if nominate {
		m.Add(stun.AttrUseCandidate, nil)
	}
	return v.writeSTUN(m, v.peerKey)
}

func (v *Viewer) writeSTUN(m *stun.Message, key []byte) error {
	if err := stun.MessageIntegrity(key).AddTo(m); err != nil {
		return err
	}
	if err := stun.Fingerprint.AddTo(m); err != nil {
		return err
	}
	v.write(m.Raw)
	return nil
}

// receiveSTUN answers the server's checks, and hears its answers to ours. Who calls holds mu.
func (v *Viewer) receiveSTUN(data []byte) {
	m := stun.New()
	if stun.Decode(data, m) != nil {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		if !v.heard && stun.MessageIntegrity(v.peerKey).Check(m) == nil {
			v.heard = true
			close(v.answeredCheck)
		}
	case stun.BindingRequest:
		if stun.MessageIntegrity(v.key).Check(m) == nil {
			v.answerCheck(m)
		}
	}
}

func (v *Viewer) answerCheck(request *stun.Message) {
	m := stun.New()
	m.Type, m.TransactionID = stun.BindingSuccess, request.TransactionID
	m.WriteHeader()
	remote := v.answer.remote
	mapped := stun.XORMappedAddress{IP: remote.Addr().AsSlice(), Port: int(remote.Port())}
	if mapped.AddTo(m) == nil {
		_ = v.writeSTUN(m, v.key) // an answer of constant size always fits
	}
}
