// Package conformance keeps the table of docs/conformance.md: each requirement that the project holds itself to,
// the tests that name it in a comment, and how they went when `make conformance` ran last.
//
// A comment names a requirement by its id, several by commas or as a range: "// A34, J36", "// A50 to A57". It
// counts for the test whose comment it is or in which it stands, such as at a row of its table; at a variable, for
// the tests that use it. The name of a row may begin with ids too: "J140 packets before PLAY".
package conformance
