//go:build capture

package main

import (
	"fmt"
	"io"
	"strings"
	"unsafe"

	"github.com/gen2brain/malgo"
	"github.com/pion/mediadevices/pkg/io/audio"
	"github.com/pion/mediadevices/pkg/wave"

	"sluice/worker/wire"
)

// chunksHeld is how many chunks of sound wait for the encoder: half a second.
const chunksHeld = 25

// silentID is ALSA's device that records silence, on machines without any other too.
const silentID = "null"

// backends are what sound comes from. Without a list miniaudio would invent a microphone that is always silent.
var backends = []malgo.Backend{malgo.BackendPulseaudio, malgo.BackendAlsa, malgo.BackendJack, malgo.BackendCoreaudio, malgo.BackendWasapi}

// microphone is one that was found. mediadevices' own driver is not used: it panics where there is no sound, and
// hands out memory that the sound library has already taken back.
type microphone struct {
	info   wire.DeviceInfo
	device malgo.DeviceInfo
	first  bool // the system's choice
}

// soundSystem opens the sound library; the caller closes it.
func soundSystem() (*malgo.AllocatedContext, error) {
	system, err := malgo.InitContext(backends, malgo.ContextConfig{}, nil)
	if err != nil {
		return nil, noSound(err)
	}
	return system, nil
}

func closeSound(system *malgo.AllocatedContext) {
	_ = system.Uninit()
	system.Free()
}

// microphones lists those of a sound system.
func microphones(system *malgo.AllocatedContext) ([]microphone, error) {
	devices, err := system.Devices(malgo.Capture)
	if err != nil {
		return nil, noSound(err)
	}
	var all []microphone
	for _, d := range devices {
		if full, err := system.DeviceInfo(malgo.Capture, d.ID, malgo.Shared); err == nil {
			full.ID, full.IsDefault = d.ID, d.IsDefault
			d = full
		}
		id, _, _ := strings.Cut(string(d.ID[:]), "\x00")
		if id == silentID {
			continue
		}
		all = append(all, microphone{
			info:   wire.DeviceInfo{Kind: "microphone", Label: d.Name(), ID: id, Formats: soundFormats(d.Formats)},
			device: d, first: d.IsDefault != 0,
		})
	}
	return all, nil
}

func soundFormats(formats []malgo.DataFormat) []string {
	var all []string
	for _, f := range formats {
		if f.SampleRate > 0 && f.Channels > 0 {
			all = append(all, fmt.Sprintf("%d Hz %d channels", f.SampleRate, f.Channels))
		}
	}
	return distinct(all)
}

// openMicrophone opens one, which the sound library turns into 48 kHz and at most two channels.
func openMicrophone(d wire.Device) (*stream, error) {
	system, err := soundSystem()
	if err != nil {
		return nil, err
	}
	all, err := microphones(system)
	if err != nil {
		return nil, err
	}
	infos := make([]wire.DeviceInfo, len(all))
	for i, m := range all {
		infos[i] = m.info
	}
	i, err := match(infos, d)
	if err != nil {
		return nil, err
	}
	if d.Label == "" && d.ID == "" {
		for n, m := range all {
			if m.first {
				i = n
			}
		}
	}
	sound, channels, err := record(system, all[i])
	if err != nil {
		return nil, err
	}
	return encodeSound(all[i].info.Label, sound, channels, d)
}

// record starts a microphone. It runs until the process ends.
func record(system *malgo.AllocatedContext, m microphone) (audio.Reader, int, error) {
	channels := 1
	for _, f := range m.device.Formats {
		if f.Channels >= 2 {
			channels = 2
		}
	}
	chunks := make(chan []int16, chunksHeld) // sent to by the sound library's thread; closed when the device stops
	config := malgo.DefaultDeviceConfig(malgo.Capture)
	config.SampleRate = sampleRate
	config.PeriodSizeInMilliseconds = uint32(packet.Milliseconds() / 2)
	config.Capture.Format, config.Capture.Channels = malgo.FormatS16, uint32(channels)
	config.Capture.DeviceID = m.device.ID.Pointer()
	device, err := malgo.InitDevice(system.Context, config, malgo.DeviceCallbacks{
		Data: func(_, samples []byte, _ uint32) {
			select {
			case chunks <- copied(samples):
			default: // the encoder does not keep up
			}
		},
		Stop: func() { close(chunks) },
	})
	if err == nil {
		err = device.Start()
	}
	if err != nil {
		return nil, 0, &wire.Fault{Code: wire.FaultStart, Element: m.info.Label, Message: err.Error() + ": another program may use it; " + soundGroup}
	}
	return audio.ReaderFunc(func() (wave.Audio, func(), error) {
		samples, ok := <-chunks
		if !ok {
			return nil, func() {}, io.EOF
		}
		size := wave.ChunkInfo{Len: len(samples) / channels, Channels: channels, SamplingRate: sampleRate}
		return &wave.Int16Interleaved{Data: samples, Size: size}, func() {}, nil
	}), channels, nil
}

// copied is the samples in memory of our own: the library's is gone when its callback ends.
func copied(samples []byte) []int16 {
	if len(samples) < 2 {
		return nil
	}
	all := make([]int16, len(samples)/2)
	copy(all, unsafe.Slice((*int16)(unsafe.Pointer(&samples[0])), len(all)))
	return all
}
