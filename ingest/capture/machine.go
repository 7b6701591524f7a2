package capture

import (
	"cmp"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/worker/wire"
)

// machine is the computer whose devices are looked for without a worker, as far as its system files tell.
type machine struct {
	root   string                          // "/", but in tests
	getenv func(string) string             // os.Getenv, but in tests
	node   func(path string) (node, error) // what a device file of a camera says of itself
	open   func(path string) error         // whether we may open a device file of sound
	dial   func(socket string) error       // whether somebody listens there
}

func thisMachine() machine {
	return machine{root: "/", getenv: os.Getenv, node: askNode, open: tryOpen, dial: tryDial}
}

func tryOpen(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// tryDial tries the name in the file system, and the abstract one that X servers have as well.
func tryDial(socket string) error {
	for _, name := range []string{socket, "@" + socket} {
		if c, err := net.Dial("unix", name); err == nil {
			return c.Close()
		}
	}
	return fs.ErrNotExist
}

// node is a V4L2 device file.
type node struct {
	Driver  string   // "uvcvideo"
	Capture bool     // it gives pictures, and takes none
	Formats []string // "H264", "MJPEG", "YUYV"
}

// local is a device with what a pipeline has to know of it.
type local struct {
	wire.DeviceInfo
	driver  string // of a camera
	control string // of a sound card: the device file that stands for all of it
}

// NotFoundError tells that a device is not there now.
type NotFoundError struct {
	Kind  string
	Asked string   // label or ID; "" for any
	There []string // labels and IDs of others of the kind
}

func (e *NotFoundError) Error() string {
	switch {
	case len(e.There) == 0 && e.Kind == screen:
		return "there is no screen: no X server runs, or DISPLAY does not name it"
	case len(e.There) == 0:
		return "there is no " + e.Kind + ": plug one in, or load its driver"
	case e.Asked == "":
		return "no " + e.Kind + " can be used"
	}
	return fmt.Sprintf("there is no %s %q, but %s", e.Kind, e.Asked, strings.Join(e.There, ", "))
}

// find finds a device that is asked for: by ID, else by label, as it is written or a part of it, else the first.
func find(all []local, d wire.Device) (local, error) {
	lower := strings.ToLower(d.Label)
	for _, fits := range []func(local) bool{
		func(l local) bool { return d.ID == "" && d.Label == "" },
		func(l local) bool { return d.ID != "" && l.ID == d.ID },
		func(l local) bool { return d.Label != "" && l.Label == d.Label },
		func(l local) bool { return d.Label != "" && strings.Contains(strings.ToLower(l.Label), lower) },
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return all[i], nil
		}
	}
	e := &NotFoundError{Kind: d.Kind, Asked: cmp.Or(d.ID, d.Label)}
	for _, l := range all {
		e.There = append(e.There, fmt.Sprintf("%q (%s)", l.Label, l.ID))
	}
	return local{}, e
}

// cameras are the device files that give pictures, in the order in which the system counts them.
func (m machine) cameras() []local {
	names, _ := filepath.Glob(filepath.Join(m.root, "sys/class/video4linux/video*/name"))
	var all []local
	for _, file := range names {
		path := "/dev/" + filepath.Base(filepath.Dir(file))
		n, err := m.node(path)
		label, labelErr := os.ReadFile(file)
		if err == nil && !n.Capture || labelErr != nil || falseCamera(string(label)) {
			continue
		}
		info := wire.DeviceInfo{Kind: camera, Label: strings.TrimSpace(string(label)), ID: path, Formats: n.Formats}
		all = append(all, local{DeviceInfo: info, driver: n.Driver})
	}
	slices.SortFunc(all, func(a, b local) int {
		return cmp.Or(len(a.ID)-len(b.ID), strings.Compare(a.ID, b.ID)) // video2 before video10
	})
	return all
}

// falseCamera reports whether a device file of a name is but a step on the way of a Raspberry Pi's camera, though it
// gives pictures: of the many of a Pi 5 ("rp1-cfe-csi2_ch0", "rp1-cfe-fe_image0", …) the first stands for the camera.
func falseCamera(name string) bool {
	name = strings.TrimSpace(name)
	return strings.HasPrefix(name, "bcm2835-isp") || strings.HasPrefix(name, "pispbe") ||
		strings.HasPrefix(name, "rp1-cfe") && !strings.HasSuffix(name, "ch0")
}

// isFalse is falseCamera for a device that a worker has found.
func (m machine) isFalse(d wire.DeviceInfo) bool {
	name, err := os.ReadFile(filepath.Join(m.root, "sys/class/video4linux", filepath.Base(d.ID), "name"))
	return d.Kind == camera && err == nil && falseCamera(string(name))
}

// cards are the sound cards that record.
func (m machine) cards() []local {
	recorders, _ := filepath.Glob(filepath.Join(m.root, "proc/asound/card*/pcm*c"))
	var all []local
	for _, pcm := range recorders {
		dir := filepath.Dir(pcm)
		id, err := os.ReadFile(filepath.Join(dir, "id"))
		if err != nil {
			continue
		}
		name := strings.TrimSpace(string(id))
		l := local{
			DeviceInfo: wire.DeviceInfo{Kind: microphone, Label: m.cardLabel(name), ID: "hw:CARD=" + name},
			control:    "/dev/snd/controlC" + strings.TrimPrefix(filepath.Base(dir), "card"),
		}
		if !slices.ContainsFunc(all, func(o local) bool { return o.ID == l.ID }) {
			all = append(all, l)
		}
	}
	return all
}

// cardLabel is the long name of a sound card: " 0 [PCH            ]: HDA-Intel - HDA Intel PCH" stands for one.
func (m machine) cardLabel(id string) string {
	list, err := os.ReadFile(filepath.Join(m.root, "proc/asound/cards"))
	if err != nil {
		return id
	}
	for line := range strings.Lines(string(list)) {
		_, rest, found := strings.Cut(line, "[")
		short, rest, closed := strings.Cut(rest, "]")
		if _, label, named := strings.Cut(rest, " - "); found && closed && named && strings.TrimSpace(short) == id {
			return strings.TrimSpace(label)
		}
	}
	return id
}

// soundServer reports whether a PulseAudio server, or PipeWire in its place, has the microphones.
func (m machine) soundServer() bool {
	if m.getenv("PULSE_SERVER") != "" {
		return true
	}
	runtime := m.getenv("XDG_RUNTIME_DIR")
	_, err := os.Stat(filepath.Join(m.root, runtime, "pulse/native"))
	return runtime != "" && err == nil
}
