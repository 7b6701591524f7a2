package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// setScalar gives into the value that text stands for, and returns what is wrong with text, "" if nothing is.
func setScalar(into reflect.Value, text string) string {
	switch {
	case into.Type() == durationType:
		v, err := time.ParseDuration(text)
		if err != nil {
			return quote(text) + ` is not a duration that can be used: write a number and its unit (ms, s, m, h), such as "10s"`
		}
		into.SetInt(int64(v))
	case into.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return quote(text) + " is neither true nor false"
		}
		into.SetBool(text == "true")
	case into.CanInt():
		v, err := parseInteger(text, into.Type().Bits())
		if err != nil {
			return quote(text) + " is not a whole number that can be used"
		}
		into.SetInt(v)
	default:
		into.SetString(text)
	}
	return ""
}

// parseInteger reads TOML's integers: 1_000, 0xff, 0o17, 0b1, but not Go's 017.
func parseInteger(text string, bits int) (int64, error) {
	digits := strings.TrimLeft(text, "+-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return 0, fmt.Errorf("parse %s: %w", text, strconv.ErrSyntax)
	}
	return strconv.ParseInt(text, 0, bits)
}

// wantedKind is how TOML writes a value of type t.
func wantedKind(t reflect.Type) unstable.Kind {
	switch {
	case t == durationType || t.Kind() == reflect.String:
		return unstable.String
	case t.Kind() == reflect.Bool:
		return unstable.Bool
	default:
		return unstable.Integer
	}
}

func typeTitle(t reflect.Type) string {
	switch {
	case t == durationType:
		return `a duration in quotes with its unit, such as "10s"`
	case t.Kind() == reflect.String:
		return "text in quotes"
	case t.Kind() == reflect.Bool:
		return "true or false, without quotes"
	default:
		return "a whole number, without quotes"
	}
}

// wrongValue names what stands there in place of a value of type t, and what was probably meant by it.
func wrongValue(n *node, t reflect.Type) string {
	if _, err := strconv.ParseUint(n.text, 10, 32); t == durationType && err == nil && n.kind == unstable.Integer {
		return fmt.Sprintf(`a number: %s seconds are "%ss"`, n.text, n.text)
	}
	return kindTitle(n.kind)
}

func kindTitle(k unstable.Kind) string {
	switch k {
	case unstable.Table, unstable.InlineTable:
		return "a table"
	case unstable.Array, unstable.ArrayTable:
		return "a list"
	case unstable.String:
		return "text"
	case unstable.Bool:
		return "true or false"
	case unstable.Integer:
		return "a number"
	case unstable.Float:
		return "a number with a fraction"
	default:
		return "a date or time"
	}
}
