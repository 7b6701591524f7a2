package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseArgon reads $argon2id$v=19$m=…,t=…,p=…$salt$hash. Its errors don't quote it.
func parseArgon(text string) (*argon, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return nil, errors.New("it is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash, which `gateway hash-password` prints")
	}
	if parts[2] != "v=19" {
		return nil, errors.New("it is not of version 19 of Argon2")
	}
	a := &argon{}
	if err := a.parseCost(parts[3]); err != nil {
		return nil, err
	}
	var err error
	if a.salt, err = parseText(parts[4]); err != nil {
		return nil, fmt.Errorf("its salt %w", err)
	}
	if a.hash, err = parseText(parts[5]); err != nil {
		return nil, fmt.Errorf("its hash %w", err)
	}
	return a, nil
}

func (a *argon) parseCost(text string) error {
	values := strings.Split(text, ",")
	if len(values) != 3 {
		return errors.New("its cost is not of the form m=…,t=…,p=…")
	}
	var n [3]uint64
	for i, c := range []struct {
		key  string
		most uint64
	}{{"m=", maxMemory}, {"t=", maxTime}, {"p=", maxThreads}} {
		digits, ok := strings.CutPrefix(values[i], c.key)
		value, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || value == 0 || value > c.most {
			return fmt.Errorf("its %s is not a number from 1 to %d", c.key, c.most)
		}
		n[i] = value
	}
	if n[0] < 8*n[2] {
		return errors.New("its m= is less than eight times its p=") // RFC 9106, section 3.1
	}
	a.memory, a.time, a.threads = uint32(n[0]), uint32(n[1]), uint8(n[2])
	return nil
}

func parseText(text string) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("is not base64 without padding")
	}
	if len(b) < minText || len(b) > maxText {
		return nil, fmt.Errorf("is not of %d to %d bytes", minText, maxText)
	}
	return b, nil
}
