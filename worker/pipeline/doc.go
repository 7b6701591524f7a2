// Package pipeline writes the texts of GStreamer pipelines, and knows the elements that decode and encode: in which
// order they are tried, with which properties, and where they come from. It runs nothing and asks nobody what is
// installed; a worker gets its text, together with the choices that only it can make, as a wire.Job.
//
// What all pipelines keep to was measured. An appsrc is live, for libav adds a frame of delay for each core
// otherwise; caps say alignment=au, for a parser waits for the next unit otherwise; decoders use threads for slices
// and not for frames; encoders have no lookahead and no B-frames. So a transcode holds no frame back.
package pipeline
