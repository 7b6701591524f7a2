package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// usersKey is a list of tables with a section of its own; its entries are examples.
const usersKey = "auth.users"

// example is a line of config.toml that a user may uncomment: no space after the #.
var example = regexp.MustCompile(`(?m)^#([\[a-z].*)$`)

func TestConfigFileHoldsDefaults(t *testing.T) {
	c, warnings, err := Parse(read(t, "../config.toml"), "config.toml", nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if demo := c.Streams["demo"]; len(c.Streams) != 1 || demo.Source != DemoSource {
		t.Errorf("streams: %+v", c.Streams)
	}
	doc, want := readDocument(read(t, "../config.toml"), "config.toml"), Default()
	for i, l := range c.globals() {
		if _, ok := doc.byKey[l.key]; !ok && l.key != usersKey {
			t.Errorf("%s is missing", l.key)
		}
		if got, want := shownDefault(l.value), shownDefault(want.globals()[i].value); got != want {
			t.Errorf("%s is %s; the default is %s", l.key, got, want)
		}
	}
}

func TestConfigFileExamples(t *testing.T) {
	text := example.ReplaceAll(read(t, "../config.toml"), []byte("$1"))
	c, warnings, err := Parse(text, "config.toml", []string{"GARDEN_PASSWORD=x", "STUDIO_TOKEN=x", "SLUICE_AUTH_MODE=internal"})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if len(c.Streams) != 8 {
		t.Errorf("streams: %+v", c.Streams)
	}
	if users := c.Auth.Users; len(users) != 2 || users[0].Name != AnonymousUser || len(users[1].Tokens) != 1 {
		t.Errorf("users: %+v", users)
	}
	if low := c.Streams["front-door"].Renditions["low"]; low != (Rendition{Height: 360, FPS: 15, MaxBitrateKbps: 500}) {
		t.Errorf("low is %+v", low)
	}
	want := DefaultStream()
	want.Source = c.Streams["garden"].Source
	want.Push = []Push{}
	if !reflect.DeepEqual(c.Streams["garden"], want) {
		t.Errorf("garden is %+v; the default is %+v", c.Streams["garden"], want)
	}
	doc := readDocument(text, "config.toml")
	for _, l := range leaves("streams.garden", reflect.ValueOf(&want).Elem()) {
		if _, ok := doc.byKey[l.key]; !ok {
			t.Errorf("%s is missing", l.key)
		}
	}
}

func TestReferenceNamesEveryKey(t *testing.T) {
	text := string(read(t, "../docs/reference.md"))
	c, s, r := Default(), DefaultStream(), Rendition{}
	all := slices.DeleteFunc(c.globals(), func(l leaf) bool { return l.key == usersKey })
	all = append(all, leaves("streams.NAME", reflect.ValueOf(&s).Elem())...)
	all = append(all, leaves(usersKey, reflect.ValueOf(&User{}).Elem())...)
	all = append(all, leaves("streams.NAME.renditions.RENDITION", reflect.ValueOf(&r).Elem())...)
	for _, l := range all {
		dot := strings.LastIndexByte(l.key, '.')
		want := []string{"`" + l.key[dot+1:] + "`", documentedType(l), "`" + shownDefault(l.value) + "`"}
		if l.key == "streams.NAME.source" || l.key == "auth.users.name" {
			want[2] = "required"
		}
		row := "| " + strings.Join(want, " | ") + " | "
		heading := "[" + l.key[:dot] + "]"
		if l.key[:dot] == usersKey {
			heading = "[" + heading + "]"
		}
		if !strings.Contains(section(text, "### `"+heading+"`"), "\n"+row) {
			t.Errorf("%s needs a row that begins with %s", l.key, row)
		}
	}
	_, configuration, _ := strings.Cut(text, "\n## Configuration\n")
	configuration, _, _ = strings.Cut(configuration, "\n## HTTP\n")
	if rows := strings.Count(configuration, "\n| `"); rows != len(all) {
		t.Errorf("%d rows for %d keys", rows, len(all))
	}
	for name := range strings.FieldsSeq(takenNames + " " + strings.Join(takenPrefixes, " ")) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the taken name %s is missing", name)
		}
	}
}

// section is what stands under a heading, up to the next.
func section(text, heading string) string {
	_, rest, _ := strings.Cut(text, "\n"+heading+"\n")
	rest, _, _ = strings.Cut(rest, "\n#")
	return rest
}

func documentedType(l leaf) string {
	lowest, highest := l.tag.Get("min"), l.tag.Get("max")
	switch {
	case l.tag.Get("oneof") != "":
		return "`" + strings.ReplaceAll(l.tag.Get("oneof"), " ", "`, `") + "`"
	case l.value.Type() == durationType && highest != "":
		return "duration, " + lowest + " to " + highest
	case l.value.Type() == durationType:
		return "duration, at least " + lowest
	case l.value.CanInt():
		return "number, " + lowest + " to " + highest
	case l.value.Kind() == reflect.Slice && l.value.Type().Elem().Kind() == reflect.Struct:
		return "list of tables: " + fieldNames(l.value.Type().Elem())
	case l.value.Kind() == reflect.Slice:
		return "list of text"
	case l.value.Kind() == reflect.Bool:
		return "true or false"
	default:
		return "text"
	}
}

func fieldNames(t reflect.Type) string {
	var names []string
	for i := range t.NumField() {
		names = append(names, "`"+t.Field(i).Tag.Get("toml")+"`")
	}
	return strings.Join(names, ", ")
}

// shownDefault writes a value as config.toml does.
func shownDefault(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		if x > 0 && x%time.Hour == 0 {
			return fmt.Sprintf(`"%dh"`, x/time.Hour)
		}
		return strconv.Quote(strconv.FormatFloat(x.Seconds(), 'f', -1, 64) + "s")
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	default:
		if v.Kind() == reflect.Slice && v.Len() == 0 {
			return "[]"
		}
		return strconv.Quote(v.String())
	}
}
