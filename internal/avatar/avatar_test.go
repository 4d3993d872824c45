package avatar

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"nameplate/internal/fault"
)

func process(data []byte) (*Picture, error) {
	return NewProcessor(1).Process(context.Background(), "alice", bytes.NewReader(data), nil)
}

func mustProcess(t *testing.T, data []byte) *Picture {
	t.Helper()
	p, err := process(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func largest(t *testing.T, p *Picture) image.Image {
	t.Helper()
	return decoded(t, p.Squares[len(p.Squares)-1].Data)
}

// accepted is what a file of another kind is told.
const accepted = "image/jpeg, image/png, image/gif, image/webp"

func wantFault(t *testing.T, err error, want fault.Error) {
	t.Helper()
	if want.Field == "" {
		want.Field = "file"
	}
	var got *fault.Error
	if !errors.As(err, &got) || *got != want {
		t.Errorf("error %#v, want %#v", err, want)
	}
}

func TestSidesStopAtTheLargest(t *testing.T) {
	for largest, want := range map[int][]int{
		1: {1}, 40: {40}, 64: {64}, 65: {64, 65}, 256: {64, 128, 256},
		300: {64, 128, 256, 300}, 512: {64, 128, 256, 512}, 513: {64, 128, 256, 512}, 4000: {64, 128, 256, 512},
	} {
		if got := SidesUpTo(largest); !slices.Equal(got, want) {
			t.Errorf("SidesUpTo(%d) = %v, want %v", largest, got, want)
		}
	}
}

func TestSideShownIsTheSmallestThatFills(t *testing.T) {
	for _, c := range []struct{ wanted, largest, want int }{
		{0, 512, 64},
		{64, 512, 64},
		{65, 512, 128},
		{512, 512, 512},
		{600, 512, 512},
		{257, 300, 300},
		{512, 300, 300},
		{64, 40, 40},
		{1, 40, 40},
	} {
		if got := SideFor(c.wanted, c.largest); got != c.want {
			t.Errorf("SideFor(%d, %d) = %d, want %d", c.wanted, c.largest, got, c.want)
		}
	}
}

func TestSquaresHaveTheSidesThatTheSourceAllows(t *testing.T) {
	for _, c := range []struct {
		width, height int
		want          []int
	}{
		{1, 1, []int{1}},
		{1, 90, []int{1}},
		{40, 40, []int{40}},
		{300, 400, []int{64, 128, 256, 300}},
		{700, 512, []int{64, 128, 256, 512}},
		{600, 530, []int{64, 128, 256, 512}},
	} {
		p := mustProcess(t, jpegOf(image.NewGray(image.Rect(0, 0, c.width, c.height))))
		var sides []int
		for _, s := range p.Squares {
			sides = append(sides, s.Side)
			if b := decoded(t, s.Data).Bounds(); b != image.Rect(0, 0, s.Side, s.Side) {
				t.Errorf("a square of %d px has bounds %v", s.Side, b)
			}
		}
		if !slices.Equal(sides, c.want) {
			t.Errorf("%d by %d: sides %v, want %v", c.width, c.height, sides, c.want)
		}
	}
}

func TestEveryKindOfFileIsTaken(t *testing.T) {
	r := image.Rect(0, 0, 64, 64)
	few := color.Palette{red, green, blue, white}
	many := slices.Clone(few)
	for i := range 200 {
		many = append(many, color.NRGBA{0, 0, uint8(i), 255})
	}
	for name, file := range map[string][]byte{
		"JPEG 4:2:0":             jpegOf(quarters(image.NewRGBA(r))),
		"JPEG 4:4:4":             flatJPEG{cols: 8, rows: 8, components: 3, at: flatQuarters(8, 8, toYCbCr)}.bytes(),
		"JPEG RGB":               withSegments(flatJPEG{cols: 8, rows: 8, components: 3, at: flatQuarters(8, 8, toRGB)}.bytes(), adobe(0)),
		"JPEG CMYK":              withSegments(flatJPEG{cols: 8, rows: 8, components: 4, at: flatQuarters(8, 8, toInk)}.bytes(), adobe(0)),
		"JPEG progressive":       flatJPEG{progressive: true, cols: 8, rows: 8, components: 3, at: flatQuarters(8, 8, toYCbCr), moreScans: 9}.bytes(),
		"JPEG progressive, CMYK": withSegments(flatJPEG{progressive: true, cols: 8, rows: 8, components: 4, at: flatQuarters(8, 8, toInk)}.bytes(), adobe(0)),
		"PNG RGB":                pngOf(quarters(image.NewRGBA(r))),
		"PNG 16 bits":            pngOf(quarters(image.NewRGBA64(r))),
		"PNG palette, 2 bits":    pngOf(quarters(image.NewPaletted(r, few))),
		"PNG palette, 8 bits":    pngOf(quarters(image.NewPaletted(r, many))),
		"PNG interlaced":         interlacedPNG(quarters(image.NewNRGBA(r))),
	} {
		t.Run(name, func(t *testing.T) {
			p := mustProcess(t, file)
			wantQuarters(t, largest(t, p), "RGBW")
			if p.MediaType != "image/jpeg" || p.Ext != "jpg" {
				t.Errorf("made %s, .%s of an opaque picture", p.MediaType, p.Ext)
			}
		})
	}
}

// wantQuarters compares the middles of the four quarters, by rows, with the
// initials of their colours.
func wantQuarters(t *testing.T, img image.Image, want string) {
	t.Helper()
	var got strings.Builder
	side := img.Bounds().Dx()
	for _, at := range []image.Point{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		got.WriteString(colorName(img.At(at.X*side/4, at.Y*side/4)))
	}
	if got.String() != want {
		t.Errorf("quarters are %s, want %s", got.String(), want)
	}
}

func colorName(c color.Color) string {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	switch near := func(v, want uint8) bool { return max(v, want)-min(v, want) < 12 }; {
	case n.A != 255:
		return "?"
	case near(n.R, 255) && near(n.G, 255) && near(n.B, 255):
		return "W"
	case near(n.R, 255) && near(n.G, 0) && near(n.B, 0):
		return "R"
	case near(n.R, 0) && near(n.G, 255) && near(n.B, 0):
		return "G"
	case near(n.R, 0) && near(n.G, 0) && near(n.B, 255):
		return "B"
	default:
		return "?"
	}
}

func TestGreyStaysGrey(t *testing.T) {
	r := image.Rect(0, 0, 64, 64)
	grey, deep := image.NewGray(r), image.NewGray16(r)
	for y := range 64 {
		for x := range 64 {
			grey.SetGray(x, y, color.Gray{100})
			deep.SetGray16(x, y, color.Gray16{100 * 0x101})
		}
	}
	for name, file := range map[string][]byte{
		"JPEG": jpegOf(grey), "PNG": pngOf(grey), "PNG, 16 bits": pngOf(deep),
		"JPEG, progressive": flatJPEG{
			progressive: true, cols: 8, rows: 8, components: 1,
			at: func(int, int) []byte { return []byte{100} },
		}.bytes(),
	} {
		if r, g, b, _ := largest(t, mustProcess(t, file)).At(20, 40).RGBA(); r>>8 != 100 || g>>8 != 100 || b>>8 != 100 {
			t.Errorf("%s: grey 100 became %d, %d, %d", name, r>>8, g>>8, b>>8)
		}
	}
}

func TestTransparentPicturesBecomePNG(t *testing.T) {
	r := image.Rect(0, 0, 100, 100)
	holed, deep := quarters(image.NewNRGBA(r)), quarters(image.NewNRGBA64(r))
	clear := image.NewPaletted(r, color.Palette{color.NRGBA{}, red})
	for y := range 50 {
		for x := range 50 {
			holed.SetNRGBA(x, y, color.NRGBA{})
			deep.SetNRGBA64(x, y, color.NRGBA64{})
		}
	}
	for name, file := range map[string][]byte{
		"8 bits": pngOf(holed), "16 bits": pngOf(deep), "palette": pngOf(clear), "interlaced": interlacedPNG(holed),
	} {
		p := mustProcess(t, file)
		if p.MediaType != "image/png" || p.Ext != "png" {
			t.Errorf("%s: made %s, .%s", name, p.MediaType, p.Ext)
		}
		for _, s := range p.Squares {
			if _, _, _, a := decoded(t, s.Data).At(s.Side/8, s.Side/8).RGBA(); a != 0 {
				t.Errorf("%s, %d px: the hole has alpha %d", name, s.Side, a)
			}
		}
	}
}

func TestWhatIsCroppedAwayDoesNotCountAsTransparent(t *testing.T) {
	img := quarters(image.NewNRGBA(image.Rect(0, 0, 200, 100)))
	img.SetNRGBA(0, 50, color.NRGBA{})
	if p := mustProcess(t, pngOf(img)); p.MediaType != "image/jpeg" {
		t.Errorf("made %s", p.MediaType)
	}
}

func TestFilesWithinTheLimitOnly(t *testing.T) {
	file := jpegOf(image.NewGray(image.Rect(0, 0, 8, 8)))
	full := append(file, make([]byte, MaxBytes-len(file))...)
	if _, err := process(full); err != nil {
		t.Errorf("%d bytes: %v", len(full), err)
	}
	_, err := process(append(full, 0))
	wantFault(t, err, fault.Error{Code: fault.FileTooLarge, Limit: MaxBytes})
}

// endless gives zeros without end and counts them.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n += len(p)
	return len(p), nil
}

func TestNoMoreIsReadThanShowsThatItIsTooMuch(t *testing.T) {
	var r endless
	_, err := NewProcessor(1).Process(t.Context(), "alice", &r, nil)
	wantFault(t, err, fault.Error{Code: fault.FileTooLarge, Limit: MaxBytes})
	if r.n != MaxBytes+1 {
		t.Errorf("read %d bytes, want %d", r.n, MaxBytes+1)
	}
}

func TestFilesOfOtherKindsAreRefused(t *testing.T) {
	_, err := process(nil)
	wantFault(t, err, fault.Error{Code: fault.FileEmpty})
	for _, file := range []string{"\xff", "hello", "GIF7", "RIFF....WAVE", "<svg/>", "\x89PNG\n", "%PDF-1.7"} {
		_, err := process([]byte(file))
		wantFault(t, err, fault.Error{Code: fault.ImageUnsupported, Detail: accepted})
	}
	twelveBit := bytes.Replace(flatJPEG{cols: 1, rows: 1, components: 1}.bytes(),
		[]byte{0xff, 0xc0, 0, 11, 8}, []byte{0xff, 0xc0, 0, 11, 12}, 1)
	_, err = process(twelveBit)
	wantFault(t, err, fault.Error{Code: fault.ImageUnsupported, Detail: accepted})
}

func TestErrorsOfTheReaderAreNotThePersonsFault(t *testing.T) {
	broken := errors.New("the line is down")
	file := jpegOf(image.NewGray(image.Rect(0, 0, 8, 8)))
	for _, r := range []io.Reader{
		iotest.ErrReader(broken), io.MultiReader(bytes.NewReader(file[:20]), iotest.ErrReader(broken)),
	} {
		_, err := NewProcessor(1).Process(t.Context(), "alice", r, nil)
		var f *fault.Error
		if !errors.Is(err, broken) || errors.As(err, &f) {
			t.Errorf("error %#v, want one that wraps the reader's", err)
		}
	}
}

func TestNoMoreAtOnceThanThereAreWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewProcessor(3)
		var mu sync.Mutex
		running, most := 0, 0
		proceed := make(chan struct{})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if err := p.decoding.Acquire(t.Context(), "bob", p.Wait); err != nil {
					t.Error(err)
					return
				}
				defer p.decoding.Release("bob")
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-proceed
				mu.Lock()
				running--
				mu.Unlock()
			})
		}
		synctest.Wait()
		if running != 3 {
			t.Errorf("%d at once, want 3", running)
		}
		close(proceed)
		all.Wait()
		if most != 3 {
			t.Errorf("%d at once, want 3", most)
		}
	})
}

func TestManyPicturesAtOnceAllSucceed(t *testing.T) {
	file := jpegOf(quarters(image.NewRGBA(image.Rect(0, 0, 64, 64))))
	p := NewProcessor(2)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := p.Process(t.Context(), "alice", bytes.NewReader(file), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestWaitingForAWorkerHasAnEnd(t *testing.T) {
	file := jpegOf(image.NewGray(image.Rect(0, 0, 8, 8)))
	synctest.Test(t, func(t *testing.T) {
		p := NewProcessor(1)
		if err := p.decoding.Acquire(t.Context(), "bob", p.Wait); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := p.Process(t.Context(), "alice", bytes.NewReader(file), nil)
		var u *fault.Unavailable
		if !errors.As(err, &u) || u.RetryAfter < time.Second {
			t.Errorf("error %#v, want Unavailable", err)
		}
		if waited := time.Since(start); waited != 8*time.Second {
			t.Errorf("waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Process(ctx, "alice", bytes.NewReader(file), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		p.decoding.Release("bob")
		if _, err := p.Process(t.Context(), "alice", bytes.NewReader(file), nil); err != nil {
			t.Errorf("with a free worker: %v", err)
		}
	})
}

func TestOtherFilesAndSlowClientsHoldNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewProcessor(1)
		r, w := io.Pipe()
		slow := make(chan error)
		go func() {
			_, err := p.Process(t.Context(), "alice", r, nil)
			slow <- err
		}()
		synctest.Wait()
		if err := p.decoding.Acquire(t.Context(), "bob", p.Wait); err != nil {
			t.Errorf("while a client is sending: %v", err)
		}
		_, err := p.Process(t.Context(), "alice", strings.NewReader("<svg/>"), nil)
		wantFault(t, err, fault.Error{Code: fault.ImageUnsupported, Detail: accepted})
		w.CloseWithError(io.ErrUnexpectedEOF)
		if err := <-slow; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the slow client's error is %v", err)
		}
	})
}
