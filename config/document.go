package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFileBytes bounds the file: far above what a person writes, far below what would hurt.
const maxFileBytes = 1 << 20

// node is one table or value of the file, with the place of its key.
type node struct {
	key          string // whole, as Fault.Key has it
	line, column int
	kind         unstable.Kind // Table, ArrayTable, Array, InlineTable or a kind of value
	dotted       bool          // a table made by a dotted key, which other dotted keys may add to
	opened       bool          // a table that has had its own header
	text         string        // of a value, as decoded
	items        []*node       // of a list
	fields       map[string]*node
	order        []string // of fields
}

// document is a file's tree. The decoder of go-toml stops at the first fault and tells no place of most of
// them, so the tree is made here from its parser.
type document struct {
	file    string
	parser  unstable.Parser
	lines   *lineIndex
	root    *node
	current *node // that the key-values being read belong to
	byKey   map[string]*node
	faults  Faults
}

// readDocument parses text. A fault of syntax ends it and is the only one told; keys given twice are told all.
func readDocument(text []byte, file string) *document {
	text = bytes.Clone(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	d := &document{file: file, lines: newLineIndex(text), byKey: make(map[string]*node)}
	d.root = newTable("")
	d.current = d.root
	if offset, message := unreadable(text); message != "" {
		d.syntax(offset, message)
		return d
	}
	d.parser.Reset(text)
	for d.parser.NextExpression() {
		d.expression(d.parser.Expression())
	}
	var pe *unstable.ParserError
	if err := d.parser.Error(); errors.As(err, &pe) {
		d.syntax(d.lines.offset(pe.Highlight), "not valid TOML: "+pe.Message)
	} else if err != nil {
		d.syntax(len(text), "not valid TOML: "+err.Error())
	}
	return d
}

// unreadable finds what the parser should not be given.
func unreadable(text []byte) (offset int, message string) {
	if len(text) > maxFileBytes {
		return 0, fmt.Sprintf("the file has %d bytes; at most %d are read", len(text), maxFileBytes)
	}
	if at := firstInvalid(text); at >= 0 {
		return at, "not valid UTF-8"
	}
	if at := nestedTooDeep(text); at >= 0 {
		return at, fmt.Sprintf("lists and tables stand in each other more than %d deep", maxNesting)
	}
	return 0, ""
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func (d *document) syntax(offset int, message string) {
	f := Fault{File: d.file, Message: printable(message)}
	f.Line, f.Column = d.lines.at(offset)
	d.faults = Faults{f}
}

func (d *document) fault(n *node, format string, args ...any) {
	d.faults = append(d.faults, Fault{
		File: d.file, Line: n.line, Column: n.column, Key: n.key, Message: fmt.Sprintf(format, args...),
	})
}

func (d *document) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.KeyValue:
		d.keyValue(d.current, e)
	case unstable.Table, unstable.ArrayTable:
		d.current = d.header(e)
	}
}

// header finds or makes the table that [a.b] or [[a.b]] names. For one that can't be, it returns a table that
// hangs nowhere, for what follows.
func (d *document) header(e *unstable.Node) *node {
	keys := d.path(e)
	if keys == nil {
		return newTable("")
	}
	at := d.root
	for _, k := range keys[:len(keys)-1] {
		at = d.child(at, k, unstable.Table)
		if at.kind == unstable.ArrayTable {
			at = at.items[len(at.items)-1]
		}
		if at.kind != unstable.Table {
			d.fault(d.place(newTable(at.key), k), "is already a value, in line %d", at.line)
			return newTable(at.key)
		}
	}
	return d.open(at, keys[len(keys)-1], e.Kind)
}

func (d *document) open(parent *node, k *unstable.Node, kind unstable.Kind) *node {
	_, known := parent.fields[string(k.Data)]
	n := d.child(parent, k, kind)
	if n.kind != kind || known && kind == unstable.Table && (n.opened || n.dotted) {
		d.again(n, k)
		return newTable(n.key)
	}
	n.opened = true
	if kind == unstable.Table {
		return n
	}
	item := d.place(newTable(fmt.Sprintf("%s[%d]", n.key, len(n.items))), k)
	n.items = append(n.items, item)
	d.byKey[item.key] = item
	return item
}

func (d *document) keyValue(table *node, e *unstable.Node) {
	keys := d.path(e)
	if keys == nil {
		return
	}
	for _, k := range keys[:len(keys)-1] {
		n := d.child(table, k, unstable.Table)
		if n.kind != unstable.Table || n.opened || len(n.order) > 0 && !n.dotted {
			d.again(n, k)
			return
		}
		n.dotted = true
		table = n
	}
	k := keys[len(keys)-1]
	if n, known := table.fields[string(k.Data)]; known {
		d.again(n, k)
		return
	}
	d.read(d.child(table, k, unstable.Invalid), e.Value())
}

func (d *document) read(n *node, v *unstable.Node) {
	n.kind = v.Kind
	n.text = string(v.Data)
	it := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for it.Next() {
			d.keyValue(n, it.Node())
		}
	case unstable.Array:
		for it.Next() {
			item := newTable(fmt.Sprintf("%s[%d]", n.key, len(n.items)))
			item.line, item.column = n.line, n.column
			n.items = append(n.items, item)
			d.byKey[item.key] = item
			d.read(item, it.Node())
		}
	}
}

// path returns the parts of a key, nil (and a fault) if there are too many.
func (d *document) path(e *unstable.Node) []*unstable.Node {
	var keys []*unstable.Node
	for it := e.Key(); it.Next(); {
		keys = append(keys, it.Node())
	}
	if len(keys) > maxNesting {
		d.fault(d.place(newTable(joinKey("", string(keys[0].Data))), keys[0]), "has %d parts; at most %d make sense", len(keys), maxNesting)
		return nil
	}
	return keys
}

// child returns the node of that name, which it makes if there is none.
func (d *document) child(parent *node, k *unstable.Node, kind unstable.Kind) *node {
	name := string(k.Data)
	if n, ok := parent.fields[name]; ok {
		return n
	}
	n := d.place(newTable(joinKey(parent.key, name)), k)
	n.kind = kind
	if parent.fields == nil {
		parent.fields = make(map[string]*node)
	}
	parent.fields[name] = n
	parent.order = append(parent.order, name)
	if _, known := d.byKey[n.key]; !known {
		d.byKey[n.key] = n
	}
	return n
}

func (d *document) place(n *node, k *unstable.Node) *node {
	n.line, n.column = d.lines.at(int(k.Raw.Offset))
	return n
}

func (d *document) again(first *node, k *unstable.Node) {
	d.fault(d.place(newTable(first.key), k), "stands here again; the first is in line %d", first.line)
}

func newTable(key string) *node {
	return &node{key: key, kind: unstable.Table}
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// joinKey adds a part to a whole key, quoted where TOML would have it quoted.
func joinKey(prefix, part string) string {
	if !bareKey.MatchString(part) {
		part = strconv.Quote(part)
	}
	if prefix == "" {
		return part
	}
	return prefix + "." + part
}
