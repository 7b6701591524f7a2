package turn

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLoggers passes on the words of pion/turn at debug level only: what concerns an operator we say ourselves.
type pionLoggers struct{ logger pionLogger }

// NewLogger returns the one logger, whatever part of pion asks for it.
func (p pionLoggers) NewLogger(string) logging.LeveledLogger { return p.logger }

type pionLogger struct{ log *slog.Logger }

func (p pionLogger) say(text string) { p.log.Debug("pion says", "text", text) }

func (p pionLogger) sayf(format string, args ...any) {
	p.log.Debug("pion says", "text", formatted{format, args})
}

// formatted is put together only if somebody reads it.
type formatted struct {
	format string
	args   []any
}

// LogValue puts it together.
func (f formatted) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf(f.format, f.args...)) }

// What a stranger can provoke with every datagram is not worth a line.

func (p pionLogger) Trace(string)          {}
func (p pionLogger) Tracef(string, ...any) {}
func (p pionLogger) Debug(string)          {}
func (p pionLogger) Debugf(string, ...any) {}

func (p pionLogger) Info(msg string)                   { p.say(msg) }
func (p pionLogger) Infof(format string, args ...any)  { p.sayf(format, args...) }
func (p pionLogger) Warn(msg string)                   { p.say(msg) }
func (p pionLogger) Warnf(format string, args ...any)  { p.sayf(format, args...) }
func (p pionLogger) Error(msg string)                  { p.say(msg) }
func (p pionLogger) Errorf(format string, args ...any) { p.sayf(format, args...) }
