package wire

import "fmt"

// FaultCode says what kind of failure a worker reports.
type FaultCode string

// The codes of a Fault.
const (
	FaultParse           FaultCode = "parse"            // the pipeline's text has a mistake
	FaultMissingElement  FaultCode = "missing_element"  // Element is not installed; "": nothing of what Message names, "video/x-h265 decoder", is
	FaultNotAllowed      FaultCode = "not_allowed"      // Element is refused
	FaultNoOutput        FaultCode = "no_output"        // nothing comes out of the pipeline
	FaultDuplicateOutput FaultCode = "duplicate_output" // two outputs are named Element
	FaultLimit           FaultCode = "limit"            // a limit of the job was exceeded
	FaultState           FaultCode = "state"            // the pipeline did not start or stop
	FaultElement         FaultCode = "element"          // Element failed while it ran
	FaultEOS             FaultCode = "eos"              // the pipeline has ended though nobody told it to
	FaultStart           FaultCode = "start"            // the worker could not get ready
	FaultMemory          FaultCode = "memory"           // memory ran out
)

// Fault is a failure that a worker reports before it exits. As an error it is a sentence that a user can act on.
type Fault struct {
	Code      FaultCode
	Element   string `json:",omitempty"`
	Package   string `json:",omitempty"` // of Debian, that holds Element
	Message   string `json:",omitempty"` // what GStreamer or the device said
	Debug     string `json:",omitempty"` // more of it, for the log
	Permanent bool   `json:",omitempty"` // starting again can't mend it
}

func (f *Fault) Error() string {
	switch f.Code {
	case FaultParse:
		return "the pipeline has a mistake: " + f.message()
	case FaultMissingElement:
		return f.missing()
	case FaultNotAllowed:
		return fmt.Sprintf("element %q is not allowed: name it in transcode.allow_elements to permit it", f.Element)
	case FaultNoOutput:
		return "the pipeline has no output: end it in raw or encoded video or audio"
	case FaultDuplicateOutput:
		return fmt.Sprintf("two outputs of the pipeline are named %q: give each its own name", f.Element)
	case FaultLimit:
		return "the pipeline exceeds a limit: " + f.message()
	case FaultState:
		return "the pipeline does not start: " + f.of()
	case FaultElement:
		return "the pipeline failed: " + f.of()
	case FaultEOS:
		return "the pipeline has ended"
	case FaultStart:
		return "the worker can't start: " + f.of()
	case FaultMemory:
		return "the worker ran out of memory"
	}
	return "the worker failed: " + f.of()
}

// missing says what to install.
func (f *Fault) missing() string {
	text := fmt.Sprintf("element %q is not installed", f.Element)
	if f.Element == "" {
		text = fmt.Sprintf("no %s is installed", f.message())
	}
	if f.Package == "" {
		return text
	}
	return text + ": apt install " + f.Package
}

// of is the message with the element that it is about.
func (f *Fault) of() string {
	if f.Element == "" {
		return f.message()
	}
	return f.Element + ": " + f.message()
}

func (f *Fault) message() string {
	if f.Message == "" {
		return "no reason was given"
	}
	return f.Message
}
