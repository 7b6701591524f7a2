package certificate

import (
	"errors"
	"fmt"
)

// What can be wrong with a file, within a FileError.
var (
	ErrMissing   = errors.New("there is no such file")
	ErrNotPEM    = errors.New("it holds nothing of that kind in PEM form")
	ErrSwapped   = errors.New("it holds the other half: are http.tls_cert and http.tls_key swapped?")
	ErrEncrypted = errors.New("the key is encrypted with a password; \"openssl pkey -in FILE -out NEW\" takes it off")
	ErrMismatch  = errors.New("the key does not belong to the certificate")
	ErrExpired   = errors.New("the certificate has expired")
)

// FileError says what is wrong with a file of the configuration.
type FileError struct {
	Key  string // "http.tls_cert" or "http.tls_key"
	File string
	Err  error
}

func (e *FileError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("%s: is missing", e.Key)
	}
	return fmt.Sprintf("%s: %s: %v", e.Key, e.File, e.Err)
}

// Unwrap is what is wrong.
func (e *FileError) Unwrap() error { return e.Err }

// NoCertificateError ends a handshake: the authority has not given us a certificate for the host yet.
type NoCertificateError struct {
	Host string
	Why  string // a sentence without its full stop
}

func (e *NoCertificateError) Error() string {
	return fmt.Sprintf("there is no certificate for %s yet: %s", e.Host, e.Why)
}

// UnknownHostError ends a handshake: somebody asked for a name that is none of ours.
type UnknownHostError struct{ Host string }

func (e *UnknownHostError) Error() string { return fmt.Sprintf("%q is not in http.acme_hosts", e.Host) }
