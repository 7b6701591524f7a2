// Package layout is the test of the house rules that a compiler can't check: who may import whom, which package
// an outside library lives in, where contexts begin, and that the pages which list things list all of them.
// It has no code of its own.
package layout
