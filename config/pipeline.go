package config

import (
	"fmt"
	"slices"
	"strings"
)

// pipelinePrefix begins a source or sink that is a GStreamer pipeline.
const pipelinePrefix = "gst:"

// maxPipelineBytes bounds the text of a pipeline.
const maxPipelineBytes = 64 << 10

// Pipeline returns the text after "gst:" of such a source, without space around it; "" for every other source.
func (s Stream) Pipeline() string { return pipelineOf(s.Source) }

// SinkPipeline returns the text after "gst:" of the sink, without space around it; "" if the stream has none.
func (s Stream) SinkPipeline() string { return pipelineOf(s.Sink) }

func pipelineOf(value string) string {
	text, ok := strings.CutPrefix(value, pipelinePrefix)
	if !ok {
		return ""
	}
	return strings.TrimSpace(text)
}

// ShownPipeline returns what others may see of a "gst:" source: its elements without their properties, which may hold
// passwords and keys. It is "" for every other source.
func (s Stream) ShownPipeline() string {
	text := s.Pipeline()
	if text == "" {
		return ""
	}
	var shown []string
	begins := true // an element's name comes at the start and after each "!"
	for _, word := range pipelineWords(text) {
		if begins && elementName.MatchString(word) {
			shown = append(shown, word)
		}
		begins = word == "!"
	}
	return pipelinePrefix + strings.Join(shown, " ! ")
}

// pipelineWords splits a pipeline's text at space outside quotes. Quotes and backslashes stay.
func pipelineWords(text string) []string {
	var words []string
	start, quotation := 0, byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case quotation != 0:
			if c == quotation {
				quotation = 0
			}
		case c == '"' || c == '\'':
			quotation = c
		case strings.IndexByte(" \t\r\n", c) >= 0:
			words = append(words, text[start:i])
			start = i + 1
		}
	}
	return slices.DeleteFunc(append(words, text[start:]), func(w string) bool { return w == "" })
}

// checkPipeline returns what is wrong with a pipeline's text, "" if nothing is that can be told without GStreamer.
// It shows none of the text, which may hold a password.
func checkPipeline(text string) string {
	if strings.TrimSpace(text) == "" {
		return `is an empty pipeline: write elements and "!" between them, such as "videotestsrc is-live=true ! timeoverlay"`
	}
	if len(text) > maxPipelineBytes {
		return fmt.Sprintf("is a pipeline of %d bytes; at most %d are read", len(text), maxPipelineBytes)
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		return fmt.Sprintf("has a NUL after %d bytes of its pipeline", i)
	}
	if strings.Contains(text, streamReference) {
		return "has ${stream} in a pipeline: that name comes from whoever watches or publishes, who could write elements of his own with it"
	}
	if quotation, at := openQuote(text); quotation != 0 {
		return fmt.Sprintf(`has a %c after %d bytes of its pipeline that is not closed: write \%c for the character itself`, quotation, at, quotation)
	}
	return ""
}

// openQuote finds the quote that is not closed, and where it stands; 0 if there is none. A backslash takes the
// meaning of what follows it, inside quotes and outside, as in gst-launch.
func openQuote(text string) (quotation byte, at int) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case quotation == 0 && (c == '"' || c == '\''):
			quotation, at = c, i
		case c == quotation:
			quotation = 0
		}
	}
	return quotation, at
}

// checkProcess is for the elements between decoder and encoder.
func checkProcess(process string) string {
	text := strings.TrimSpace(process)
	switch {
	case process == "":
		return ""
	case strings.HasPrefix(strings.ToLower(text), pipelinePrefix):
		return `is written without "gst:": only the elements, such as "clockoverlay"`
	case strings.HasPrefix(text, "!") || strings.HasSuffix(text, "!"):
		return `begins or ends with "!": the gateway puts them between its own elements and these`
	}
	return checkPipeline(process)
}

// checkSink is for the pipeline that gets the encoded stream.
func checkSink(sink string) string {
	text, ok := strings.CutPrefix(sink, pipelinePrefix)
	switch {
	case sink == "":
		return ""
	case !ok:
		return `does not begin with "gst:": a sink is a GStreamer pipeline`
	}
	return checkPipeline(text)
}
