package capture

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// Of linux/videodev2.h.
const (
	vidiocQuerycap = 0x80685600
	vidiocEnumFmt  = 0xc0405602

	capVideoCapture       = 0x00000001
	capVideoCaptureMplane = 0x00001000
	capVideoM2M           = 0x00004000 | 0x00008000
	capDeviceCaps         = 0x80000000

	bufVideoCapture       = 1
	bufVideoCaptureMplane = 9

	maxFormats = 64
)

// capability is struct v4l2_capability.
type capability struct {
	Driver       [16]byte
	Card         [32]byte
	Bus          [32]byte
	Version      uint32
	Capabilities uint32
	DeviceCaps   uint32
	_            [3]uint32
}

// format is struct v4l2_fmtdesc.
type format struct {
	Index       uint32
	Type        uint32
	Flags       uint32
	Description [32]byte
	PixelFormat uint32
	MbusCode    uint32
	_           [3]uint32
}

// formatNames are those under which users know formats that V4L2 calls otherwise.
var formatNames = map[string]string{"MJPG": "MJPEG", "JPEG": "MJPEG", "HEVC": "H265", "YU12": "I420"}

// askNode asks a device file what it is.
func askNode(path string) (node, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return node{}, err
	}
	defer f.Close()
	var c capability
	if err := ioctl(f, vidiocQuerycap, unsafe.Pointer(&c)); err != nil {
		return node{}, fmt.Errorf("ask %s what it is: %w", path, err)
	}
	caps := c.Capabilities
	if caps&capDeviceCaps != 0 {
		caps = c.DeviceCaps
	}
	n := node{Driver: strings.TrimRight(string(c.Driver[:]), "\x00")}
	kind := uint32(bufVideoCapture)
	if caps&capVideoCaptureMplane != 0 {
		kind = bufVideoCaptureMplane
	}
	n.Capture = caps&(capVideoCapture|capVideoCaptureMplane) != 0 && caps&capVideoM2M == 0
	for i := uint32(0); n.Capture && i < maxFormats; i++ {
		d := format{Index: i, Type: kind}
		if ioctl(f, vidiocEnumFmt, unsafe.Pointer(&d)) != nil {
			break
		}
		n.Formats = append(n.Formats, formatName(d.PixelFormat))
	}
	return n, nil
}

// formatName is the name of a four-character code.
func formatName(code uint32) string {
	name := strings.TrimSpace(string([]byte{byte(code), byte(code >> 8), byte(code >> 16), byte(code>>24) & 0x7f}))
	if known, ok := formatNames[name]; ok {
		return known
	}
	return name
}

func ioctl(f *os.File, request uintptr, argument unsafe.Pointer) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}
