// Package redact makes text fit to be printed: in logs, answers, metrics, errors and panics. It is the only place that knows how
// secrets are named and what they look like, and hides rather too much than too little.
package redact
