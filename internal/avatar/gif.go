package avatar

import (
	"image"
	"image/draw"
	"image/gif"
)

// readGIF reads the header of a GIF; width and height are those of its canvas,
// on which a frame may cover a part.
func readGIF(data []byte) (header, error) {
	c, err := guard(data, gif.DecodeConfig)
	// Two bytes for a pixel of an interlaced frame, and four of the canvas.
	return header{width: c.Width, height: c.Height, orientation: upright, memory: 6 * c.Width * c.Height}, err
}

// decodeGIF decodes the first frame, as it is seen when the animation begins.
func decodeGIF(data []byte, h header, _ int) (image.Image, error) {
	frame, err := guard(data, gif.Decode)
	canvas := image.Rect(0, 0, h.width, h.height)
	if err != nil || frame.Bounds() == canvas {
		return frame, err
	}
	out := image.NewNRGBA(canvas)
	draw.Draw(out, frame.Bounds(), frame, frame.Bounds().Min, draw.Src)
	return out, nil
}
