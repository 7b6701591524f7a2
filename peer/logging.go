package peer

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLoggers passes on pion's own words at debug level only: what concerns an operator we say ourselves.
type pionLoggers struct{ log *slog.Logger }

// NewLogger makes the logger of one part of pion.
func (p pionLoggers) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{log: p.log.With("pion", scope)}
}

type pionLogger struct{ log *slog.Logger }

func (p pionLogger) say(format string, args ...any) {
	p.log.Debug("pion says", "text", formatted{format, args})
}

// formatted is put together only if somebody reads it.
type formatted struct {
	format string
	args   []any
}

// LogValue puts it together.
func (f formatted) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf(f.format, f.args...)) }

func (p pionLogger) Trace(string)          {}
func (p pionLogger) Tracef(string, ...any) {}
func (p pionLogger) Debug(string)          {}
func (p pionLogger) Debugf(string, ...any) {}

func (p pionLogger) Info(msg string)                   { p.say("%s", msg) }
func (p pionLogger) Infof(format string, args ...any)  { p.say(format, args...) }
func (p pionLogger) Warn(msg string)                   { p.say("%s", msg) }
func (p pionLogger) Warnf(format string, args ...any)  { p.say(format, args...) }
func (p pionLogger) Error(msg string)                  { p.say("%s", msg) }
func (p pionLogger) Errorf(format string, args ...any) { p.say(format, args...) }
