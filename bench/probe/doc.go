// Command probe measures what a person sees who watches a camera by WHEP in Chromium: how long from the click to the
// first picture and to the live one, how old pictures are on the screen (glass to glass), how often they freeze, and
// what losses do to that. The camera's pictures are encoded as they are made, and bear the time in a strip that the
// page reads. Run it in the module's folder; docs/benchmarks.md says how.
package main
