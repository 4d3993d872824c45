package avatar

import (
	"encoding/binary"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// riffChunk is one of a WebP file.
func riffChunk(kind string, body ...byte) []byte {
	c := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	c = append(c, body...)
	if len(body)%2 != 0 {
		c = append(c, 0)
	}
	return c
}

func webpFile(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...)...)
}

func le24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

func vp8xChunk(flags byte, width, height int) []byte {
	return riffChunk("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, le24(width-1), le24(height-1))...)
}

// anmfChunk is a frame at twice x, y.
func anmfChunk(x, y, width, height int, chunks ...[]byte) []byte {
	head := slices.Concat(le24(x), le24(y), le24(width-1), le24(height-1), []byte{100, 0, 0, 0})
	return riffChunk("ANMF", append(head, slices.Concat(chunks...)...)...)
}

// webpSamples are files that libwebp made of pictures drawn by code, named for
// what they show.
func webpSamples(t testing.TB) map[string][]byte {
	t.Helper()
	samples := map[string][]byte{}
	for _, folder := range []string{"testdata", "../vp8l/testdata"} {
		names, err := filepath.Glob(folder + "/*.webp")
		if err != nil || len(names) == 0 {
			t.Fatalf("no samples in %s: %v", folder, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			samples[strings.TrimSuffix(filepath.Base(name), ".webp")] = data
		}
	}
	return samples
}

func webpSample(t testing.TB, name string) []byte {
	t.Helper()
	data, found := webpSamples(t)[name]
	if !found {
		t.Fatalf("no sample %s", name)
	}
	return data
}

// packedAlpha is a lossless picture of these values of alpha, uncompressed.
func packedAlpha(alpha []byte) []byte {
	// The green of a pixel is a symbol of eight bits, the other components take none.
	stream := []byte{0xf0, 0, 0, 0, 0, 0x02, 0, 0, 0xd6, 0x1f, 0x22, 0xa2, 0}
	for _, v := range alpha {
		stream = append(stream, bits.Reverse8(v))
	}
	return stream
}
