package transcode

import (
	"errors"
	"fmt"
	"strings"

	"sluice/media"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// EncoderKeyError tells that the encoder that the configuration names can't be used.
type EncoderKeyError struct {
	Element string
	Err     error
}

func (e *EncoderKeyError) Error() string {
	return fmt.Sprintf("transcode.encoder names %q, which can't be used: %v", e.Element, e.Err)
}

func (e *EncoderKeyError) Unwrap() error { return e.Err }

// NoEncoderError tells that no encoder of a codec works on this machine. Reasons holds a sentence for each that needs
// no hardware.
type NoEncoderError struct {
	Codec   media.Codec
	Reasons []string
}

func (e *NoEncoderError) Error() string {
	return fmt.Sprintf("no encoder of %s works here: %s", e.Codec.Title(), strings.Join(e.Reasons, "; "))
}

// Why an encoder is not tried though it may be installed.
var (
	errKeepsFailing = errors.New("it keeps failing")
	errRemembered   = errors.New("it was not chosen when the encoders were tried out")
	errUnknown      = errors.New("the worker does not tell which encoder it has tried")
)

func notInstalled(e pipeline.Encoder) *wire.Fault {
	return &wire.Fault{Code: wire.FaultMissingElement, Element: e.Element, Package: e.Package, Permanent: true}
}

// reason is why an encoder does not work, as a sentence that names it.
func reason(e pipeline.Encoder, err error) string {
	if fault := (*wire.Fault)(nil); errors.As(err, &fault) && fault.Code == wire.FaultMissingElement {
		return fault.Error()
	}
	return fmt.Sprintf("%s: %v", e.Element, err)
}
