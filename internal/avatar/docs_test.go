package avatar

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func TestTheDocsTellTheLimits(t *testing.T) {
	content, err := os.ReadFile("../../docs/avatars.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(content)), " ")
	number := func(n int) string { return message.NewPrinter(language.English).Sprint(n) }
	millions := func(bytes float64) int { return int(maxMemory / bytes / 1e6) }
	for _, sentence := range []string{
		number(MaxBytes) + " (10 MiB)",
		number(MaxPixels) + " (4096 × 4096)",
		number(MaxSide) + " pixels",
		fmt.Sprintf("| scans of a progressive JPEG | %d, and %s for scans × pixels |", maxScans, number(maxScanPixels)),
		fmt.Sprintf("| memory for decoding | %d MB, by an estimate |", maxMemory/1_000_000),
		fmt.Sprintf("about %d million for a progressive JPEG with chroma at half the resolution, %d million without, "+
			"%d million in CMYK; %d million for a PNG of 16 bits, %d million if it is interlaced.",
			millions(1.5*5), millions(3*5), millions(4*5+4), millions(8), millions(16)),
		fmt.Sprintf("for up to %.0f seconds,", NewProcessor(1).Wait.Seconds()),
		number(maxArriving) + " files may be arriving or waiting at once,",
		fmt.Sprintf("more than %d Huffman tables", maxTables),
		fmt.Sprintf("less than %d MB of memory", mostMemory/1_000_000),
		fmt.Sprintf("quality %d, chroma at half", jpegQuality),
	} {
		if !strings.Contains(text, sentence) {
			t.Errorf("nothing in docs/avatars.md says: %s", sentence)
		}
	}
}
