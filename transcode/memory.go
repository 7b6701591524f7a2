package transcode

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/media"
)

// memory keeps, in a file, which encoders were chosen on this machine. A file that can't be read or written costs one
// trial at each start and is no error.
type memory struct {
	folder string
	log    *slog.Logger
	record record
}

// record is what the file holds.
type record struct {
	Machine string // fingerprint
	Chosen  map[media.Codec]string
}

// load is what was chosen on a machine with that fingerprint; all else is forgotten.
func (m *memory) load(machine string) []candidate {
	m.record = record{}
	if b, err := os.ReadFile(m.path()); m.folder != "" && err == nil {
		if err := json.Unmarshal(b, &m.record); err != nil {
			m.record = record{}
		}
	}
	if m.record.Machine != machine || m.record.Chosen == nil {
		m.record = record{Machine: machine, Chosen: map[media.Codec]string{}}
	}
	var list []candidate
	for _, codec := range slices.Sorted(maps.Keys(m.record.Chosen)) {
		list = append(list, candidate{codec: codec, element: m.record.Chosen[codec]})
	}
	return list
}

// keep remembers a choice.
func (m *memory) keep(c candidate) {
	m.record.Chosen[c.codec] = c.element
	if m.folder == "" {
		return
	}
	if err := m.save(); err != nil {
		m.log.Debug("the choice of encoders is not remembered", "err", err)
	}
}

// save replaces the file at once, for another gateway may read it.
func (m *memory) save() error {
	b, err := json.MarshalIndent(m.record, "", "\t")
	if err != nil {
		return fmt.Errorf("write down the choice of encoders: %w", err)
	}
	if err = os.MkdirAll(m.folder, 0o755); err != nil {
		return fmt.Errorf("make a folder for the choice of encoders: %w", err)
	}
	f, err := os.CreateTemp(m.folder, "encoders-*")
	if err != nil {
		return fmt.Errorf("write down the choice of encoders: %w", err)
	}
	_, err = f.Write(b)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), m.path())
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write down the choice of encoders: %w", err)
	}
	return nil
}

func (m *memory) path() string { return filepath.Join(m.folder, "encoders.json") }

// fingerprint is what a choice depends on: GStreamer's version, its plugins, the devices, what the configuration
// says, and the boot, for a device may have been busy then.
func fingerprint(library, setting string) string {
	parts := []string{library, setting, bootID()}
	for _, pattern := range []string{
		"/dev/dri/*", "/dev/video*", "/dev/nvidia*", "/dev/mpp_service",
		"/usr/lib/gstreamer-1.0", "/usr/lib/*/gstreamer-1.0", "/usr/local/lib/gstreamer-1.0", "/usr/local/lib/*/gstreamer-1.0",
	} {
		names, _ := filepath.Glob(pattern) // the patterns are well-formed
		for _, name := range names {
			parts = append(parts, name+changed(name))
		}
	}
	return strings.Join(parts, " ")
}

// changed is when a folder got or lost a file; "" for a device.
func changed(name string) string {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return ""
	}
	return fmt.Sprintf("@%d", info.ModTime().Unix())
}

// bootID tells one start of the machine from another; "" where the system has none.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
