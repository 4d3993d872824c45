package avatar

import (
	"bytes"
	"image"

	"golang.org/x/image/webp"
)

func isWebP(head []byte) bool {
	return bytes.HasPrefix(head, []byte("RIFF")) && len(head) > 12 && string(head[8:12]) == "WEBP"
}
func headerOfWebP(data []byte) (header, error) {
	c, err := guard(data, webp.DecodeConfig)
	return header{width: c.Width, height: c.Height, orientation: 1}, err
}
func decodeWebP(data []byte, _ header, _ int) (image.Image, error) { return guard(data, webp.Decode) }
