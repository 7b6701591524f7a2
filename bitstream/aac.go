package bitstream

import (
	"bytes"

	codec "github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"sluice/media"
)

// aac conforms frames of AAC. Some cameras leave each in its ADTS header, which then tells the configuration.
type aac struct{}

func (aac) inspect(au *media.AccessUnit, t *media.Track) bool {
	au.Keyframe = true
	if len(au.Data) != 1 || !bytes.HasPrefix(au.Data[0], []byte{0xff}) {
		return true
	}
	var packets codec.ADTSPackets
	if packets.Unmarshal(au.Data[0]) != nil || len(packets) != 1 {
		return true
	}
	p := packets[0]
	au.Data = [][]byte{p.AU}
	if len(t.ParameterSets) > 0 {
		return true
	}
	config := codec.AudioSpecificConfig{Type: p.Type, SampleRate: p.SampleRate, ChannelCount: p.ChannelCount}
	if b, err := config.Marshal(); err == nil {
		t.ParameterSets = [][]byte{b}
		t.Channels = p.ChannelCount
	}
	return true
}
