// Package certificate keeps the TLS certificate of HTTPS and of TURN over TLS: read from files and read again when they
// change, made here and signed by itself, or got from a certificate authority by ACME (RFC 8555). It also splits one TLS
// port between HTTPS and TURN.
package certificate
