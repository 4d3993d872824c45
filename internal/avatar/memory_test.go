package avatar

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// mostMemory is what a picture may take more than the server has without it.
const mostMemory = 150_000_000

// A child of the test binary makes pictures of a file and says how much memory it
// took from the system: the most that it ever had.
const (
	childFile    = "AVATAR_TEST_FILE"
	childAtOnce  = "AVATAR_TEST_AT_ONCE"
	childWorkers = "AVATAR_TEST_WORKERS"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childFile); name != "" {
		measure(name)
		return
	}
	os.Exit(m.Run())
}

func measure(name string) {
	atOnce, _ := strconv.Atoi(os.Getenv(childAtOnce))
	workers, _ := strconv.Atoi(os.Getenv(childWorkers))
	p := NewProcessor(workers)
	p.Wait = time.Hour
	makeOf := func(file *os.File) {
		if _, err := p.Process(context.Background(), "alice", file, nil); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		file.Close()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			file, err := os.Open(name)
			if err != nil {
				panic(err)
			}
			makeOf(file)
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	fmt.Println(after.Sys-before.Sys, after.Sys-after.HeapReleased-(before.Sys-before.HeapReleased))
}

// memoryOf is what the child took at most, and what it had not given back at the end.
func memoryOf(t *testing.T, file []byte, atOnce, workers int) (took, kept int) {
	t.Helper()
	name := t.TempDir() + "/file"
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+name, fmt.Sprint(childAtOnce, "=", atOnce), fmt.Sprint(childWorkers, "=", workers))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := fmt.Sscan(string(out), &took, &kept); err != nil {
		t.Fatal(err)
	}
	return took, kept
}

// greediest are files that take the most memory within the limits.
func greediest() map[string]func() []byte {
	return map[string]func() []byte{
		"progressive JPEG": flatJPEG{progressive: true, cols: 338, rows: 338, components: 3}.bytes,
		"progressive JPEG that jpegn refuses": func() []byte {
			file := flatJPEG{progressive: true, cols: 338, rows: 338, components: 3}.bytes()
			end := len(file) - 2
			// As much as it may have, of which it says that it is a profile. Stuffed bytes
			// where no coded data are expected are what the two decoders differ in.
			file = slices.Concat(file[:end], []byte{0xff, 0x00, 0xff, 0x00}, file[end:])
			part, number := make([]byte, 60_000), byte(0)
			for len(file)+len(part) < MaxBytes-100 {
				number++
				file = withSegments(file, profileSegment(number, 255, part))
			}
			return file
		},
		"progressive CMYK": func() []byte {
			return withSegments(flatJPEG{progressive: true, cols: 267, rows: 267, components: 4}.bytes(), adobe(0))
		},
		"CMYK": func() []byte {
			return withSegments(flatJPEG{cols: 463, rows: 463, components: 4}.bytes(), adobe(0))
		},
		"PNG 16 bits":             func() []byte { return emptyPNG(3708, 16, 0) },
		"PNG 16 bits, interlaced": func() []byte { return emptyPNG(2616, 16, 1) },
		"PNG interlaced":          func() []byte { return emptyPNG(3704, 8, 1) },
		"GIF":                     func() []byte { return gifBelowCanvas(4096) },
		"WebP lossless":           emptyWebP,
	}
}

// emptyPNG is square, of the colour type RGBA, and can't be seen. Where it is
// interlaced, its side is a multiple of 8.
func emptyPNG(side int, depth, interlace byte) []byte {
	rows := side
	if interlace != 0 {
		rows = 0
		for _, step := range []int{8, 8, 8, 4, 4, 2, 2} { // of the seven passes
			rows += side / step
		}
	}
	raw := deflated(make([]byte, side*side*int(depth)/2+rows))
	return slices.Concat(pngHeader(side, side, depth, 6, interlace), chunk("IDAT", raw...), chunk("IEND"))
}

// emptyWebP has one pixel value and is an animation's frame one pixel smaller than
// its canvas.
func emptyWebP() []byte {
	const side = 3300
	return webpFile(vp8xChunk(flagAnimated, side, side), anmfChunk(1, 1, side-2, side-2, solidVP8L(side-2, side-2, red)))
}

func gifBelowCanvas(side int) []byte {
	frame := image.NewPaletted(image.Rect(1, 0, side, side), color.Palette{red, blue})
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: side, Height: side},
	})
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestNoPictureTakesMoreMemoryThanItMay(t *testing.T) {
	for name, file := range greediest() {
		if raceEnabled && !strings.HasPrefix(name, "progressive") {
			continue // they take ten times as long
		}
		t.Run(name, func(t *testing.T) {
			took, kept := memoryOf(t, file(), 1, 1)
			t.Logf("%d MB, of which %d MB stay", took/1_000_000, kept/1_000_000)
			if took > mostMemory || kept > 10_000_000 {
				t.Errorf("%d bytes, of which %d stay; want at most %d and ten million", took, kept, mostMemory)
			}
		})
	}
}

// A hundred wait on the disk, and as many are decoded at once as there are workers.
func TestAHundredAtOnceTakeTheMemoryOfTheWorkers(t *testing.T) {
	const workers = 2
	width, height := 4000, 3000
	if raceEnabled {
		width, height = 400, 300
	}
	for name, c := range map[string]struct {
		file   []byte
		atOnce int
		most   int
	}{
		"photos":        {jpegOf(photo(width, height)), 100, workers * mostMemory / 2},
		"the greediest": {greediest()["progressive JPEG"](), 4, workers * mostMemory},
	} {
		t.Run(name, func(t *testing.T) {
			took, _ := memoryOf(t, c.file, c.atOnce, workers)
			t.Logf("%d MB", took/1_000_000)
			if took > c.most {
				t.Errorf("%d bytes, want at most %d", took, c.most)
			}
		})
	}
}
