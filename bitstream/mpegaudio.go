package bitstream

import "sluice/media"

// MPEGAudioFrame is what the header of a frame of MPEG audio says.
//
// Specification: ISO/IEC 11172-3 2.4.1.3, ISO/IEC 13818-3 2.4.1.3
type MPEGAudioFrame struct {
	Layer      int // 1 to 3
	SampleRate int // Hz
	Channels   int
	Samples    int // of each channel
	Size       int // bytes, with the header
}

// Versions as headers have them. MPEG-2.5 is no standard: it is what MP3 below 16 kHz is by custom.
const (
	mpegAudio25       = 0
	mpegAudioReserved = 1
	mpegAudio1        = 3
)

// mpegAudioRates are sampling rates of MPEG-1 in Hz; MPEG-2 has half of them, 2.5 a quarter.
var mpegAudioRates = [...]int{44100, 48000, 32000}

// mpeg1AudioBitrates and mpeg2AudioBitrates are in kbit/s, by layer and index. Index 0 is a free bit rate.
var (
	mpeg1AudioBitrates = [3][15]int{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	}
	mpeg2AudioBitrates = [3][15]int{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
)

// ParseMPEGAudioFrame reads the header at the start of b. It is false if there is none, or one of a free bit rate,
// which does not tell how long the frame is. The frame may be longer than b.
func ParseMPEGAudioFrame(b []byte) (MPEGAudioFrame, bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return MPEGAudioFrame{}, false
	}
	version, layer := b[1]>>3&3, 4-int(b[1]>>1&3)
	bitrate, rate := b[2]>>4, b[2]>>2&3
	if version == mpegAudioReserved || layer == 4 || bitrate == 0 || bitrate == 15 || rate == 3 {
		return MPEGAudioFrame{}, false
	}
	f := MPEGAudioFrame{Layer: layer, SampleRate: mpegAudioRates[rate], Channels: 2}
	if b[3]>>6 == 3 {
		f.Channels = 1
	}
	kbps := mpeg1AudioBitrates[layer-1][bitrate]
	if version != mpegAudio1 {
		kbps = mpeg2AudioBitrates[layer-1][bitrate]
		f.SampleRate /= 2
	}
	if version == mpegAudio25 {
		f.SampleRate /= 2
	}
	f.measure(kbps*1000, int(b[2]>>1&1), version == mpegAudio1)
	return f, true
}

// measure finds out how long the frame is. It is made of slots, of four bytes in layer 1, else of one.
func (f *MPEGAudioFrame) measure(bitrate, padding int, mpeg1 bool) {
	slot := 1
	switch {
	case f.Layer == 1:
		f.Samples, slot = 384, 4
	case f.Layer == 3 && !mpeg1:
		f.Samples = 576
	default:
		f.Samples = 1152
	}
	f.Size = (f.Samples/8/slot*bitrate/f.SampleRate + padding) * slot
}

// mpegAudio conforms frames of MPEG audio, which tell the number of channels themselves.
type mpegAudio struct{}

func (mpegAudio) inspect(au *media.AccessUnit, t *media.Track) bool {
	au.Keyframe = true
	if len(au.Data) != 1 {
		return false
	}
	f, ok := ParseMPEGAudioFrame(au.Data[0])
	if !ok || len(au.Data[0]) < f.Size {
		return false
	}
	t.Channels = f.Channels
	return true
}
