package avatar

import "math"

// view says which part of a decoded picture is resampled, along one axis: the
// middle of sample i of the result lies at origin + (i + 0.5) * step.
type view struct {
	origin, step float64
}

// lobes of the kernel: Lanczos with three of them keeps what the result can
// show and loses nearly all that it can't (K. Turkowski, "Filters for Common
// Resampling Tasks", 1990). Its ideal, without rounding, is what the tests
// compare with.
const lobes = 3

// Weights are integers; those of a sample sum up to one.
const (
	weightBits = 14
	one        = 1 << weightBits
)

// span are the samples of a source that make one of the result.
type span struct {
	first   int
	weights []int32
}

// spans returns what each of n samples is made of, given a source of size
// samples. Where the result has fewer samples the kernel widens, so that fine
// patterns turn grey instead of into moiré. What of it lies beyond the ends of the
// source doesn't count.
func spans(v view, n, size int) []span {
	out := make([]span, n)
	wide := max(v.step, 1)
	phase, weights := math.NaN(), []int32(nil) // of the sample before
	for i := range out {
		middle := v.origin + (float64(i)+0.5)*v.step
		from, to := int(math.Floor(middle-lobes*wide)), int(math.Ceil(middle+lobes*wide))
		// Samples that lie alike among those of the source have the same weights.
		if cut := from < 0 || to > size; cut || middle-float64(from) != phase {
			from, to = max(min(from, size-1), 0), min(max(to, 1), size)
			weights = newWeights(middle, wide, from, to)
			phase = middle - float64(from)
			if cut {
				phase = math.NaN()
			}
		}
		out[i] = span{from, weights}
		if v.step >= 1 {
			out[i] = trimmed(from, weights)
		}
	}
	return out
}

func newWeights(middle, wide float64, from, to int) []int32 {
	exact := make([]float64, to-from)
	for i := range exact {
		exact[i] = lanczos((float64(from+i) + 0.5 - middle) / wide)
	}
	return whole(exact)
}

// trimmed leaves out the samples at both ends that have no weight: all but one
// where the result has the size of the source. Where the result is larger, the
// spans of neighbours begin at one sample, and would no longer be in order.
func trimmed(first int, weights []int32) span {
	for len(weights) > 1 && weights[0] == 0 {
		first, weights = first+1, weights[1:]
	}
	for len(weights) > 1 && weights[len(weights)-1] == 0 {
		weights = weights[:len(weights)-1]
	}
	return span{first, weights}
}

func lanczos(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= lobes {
		return 0
	}
	return lobes * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/lobes) / (math.Pi * math.Pi * x * x)
}

// whole rounds weights to integers that sum up to one: what rounding loses goes
// to the greatest.
func whole(exact []float64) []int32 {
	sum, greatest := 0.0, 0
	for i, w := range exact {
		sum += w
		if w > exact[greatest] {
			greatest = i
		}
	}
	weights := make([]int32, len(exact))
	left := int32(one)
	for i, w := range exact {
		weights[i] = int32(math.Round(w / sum * one))
		left -= weights[i]
	}
	weights[greatest] += left
	return weights
}

// rows gives the rows of a picture, from which only those are asked for that
// count, in order. A sample has sampleBits bits, so that 8 of a source and the
// rounding between the two passes don't add up to a visible error.
type rows struct {
	width, height int
	// channels are how many samples a pixel has.
	channels int
	// read writes the pixels from to those before to of row y.
	read func(dst []uint16, y, from, to int)
}

const (
	sampleBits = 12
	// unit is the greatest sample: 255 of a byte.
	unit = 255 << (sampleBits - 8)
)

// resample makes a picture of n by n pixels: first down the columns, and then along
// each row, two samples at a time. It hands over row by row, whose samples may lie
// outside of 0 and unit, by the kernel's overshoot.
func resample(src rows, h, v view, n int, write func(y int, samples []int32)) {
	across, down := spans(h, n, src.width), spans(v, n, src.height)
	from, to := extent(across)
	width := (to - from) * src.channels
	columns := newColumns(width)
	lines := newLines(across, from, width, src.channels, write)
	samples, row := make([]uint16, width), make([]int32, width)
	first, last := extent(down)
	open, done := 0, 0 // the rows of the result that are begun and finished
	for y := first; y < last; y++ {
		for open < n && down[open].first <= y {
			columns.begin(open)
			open++
		}
		src.read(samples, y, from, to)
		columns.take(samples)
		for r := done; r < open; r++ {
			if at := y - down[r].first; at < len(down[r].weights) {
				columns.add(r, down[r].weights[at])
			}
		}
		for done < open && y == down[done].first+len(down[done].weights)-1 {
			columns.finish(done, row)
			lines.take(done, row)
			done++
		}
	}
	lines.flush(done - 1)
}

// extent is from the first sample that counts to behind the last.
func extent(spans []span) (from, to int) {
	last := spans[len(spans)-1]
	return spans[0].first, last.first + len(last.weights)
}

// pair is two samples, or two sums of products of samples, in one integer, so that one
// multiplication serves both. A negative lower half is a borrow from the upper one,
// which is given back when they are parted.
type pair int64

func join(low, high int32) pair { return pair(low) + pair(high)<<32 }

func (p pair) part() (low, high int32) {
	low = int32(p)
	return low, int32((p - pair(low)) >> 32)
}

// sums parts sums of products, rounded to samples.
func (p pair) sums() (low, high int32) {
	low, high = p.part()
	return (low + one/2) >> weightBits, (high + one/2) >> weightBits
}

// columns sums up rows by their weights, two neighbours at a time.
type columns struct {
	row  []pair
	open map[int][]pair // the sums of each row of the result that is begun
	free [][]pair
}

func newColumns(width int) *columns {
	return &columns{row: make([]pair, (width+1)/2), open: map[int][]pair{}}
}

// begin makes room for the sums of a row of the result.
func (c *columns) begin(row int) {
	if last := len(c.free) - 1; last >= 0 {
		clear(c.free[last])
		c.open[row], c.free = c.free[last], c.free[:last]
		return
	}
	c.open[row] = make([]pair, len(c.row))
}

// take packs a row of the source.
func (c *columns) take(samples []uint16) {
	pairs := len(samples) / 2
	for i, row := 0, c.row[:pairs]; i < len(row); i++ {
		two := samples[2*i : 2*i+2 : 2*i+2]
		row[i] = pair(two[0]) | pair(two[1])<<32
	}
	if len(samples)%2 == 1 {
		c.row[pairs] = pair(samples[len(samples)-1])
	}
}

func (c *columns) add(row int, weight int32) {
	w := pair(weight)
	sums := c.open[row]
	for i, two := range c.row[:len(sums)] {
		sums[i] += w * two
	}
}

// finish writes the samples of a row of the result.
func (c *columns) finish(row int, dst []int32) {
	sums := c.open[row]
	for i := range len(dst) / 2 {
		dst[2*i], dst[2*i+1] = sums[i].sums()
	}
	if len(dst)%2 == 1 {
		dst[len(dst)-1], _ = sums[len(sums)-1].sums()
	}
	delete(c.open, row)
	c.free = append(c.free, sums)
}

// lines makes rows of the result from ones that are still as wide as the source: of
// one channel two rows at a time, of four two channels.
type lines struct {
	across   []span
	from     int // the column that rows begin with
	channels int
	write    func(y int, samples []int32)
	before   []int32 // a row of one channel that waits for the next
	waiting  bool
	pairs    []pair
	low      []int32 // rows of the result
	high     []int32
}

func newLines(across []span, from, width, channels int, write func(y int, samples []int32)) *lines {
	n := len(across) * channels
	return &lines{
		across: across, from: from, channels: channels, write: write,
		before: make([]int32, width), pairs: make([]pair, width), low: make([]int32, n), high: make([]int32, n),
	}
}

// take takes row y, the one behind the last.
func (l *lines) take(y int, row []int32) {
	switch {
	case l.channels == 4:
		for i := range len(row) / 2 {
			l.pairs[i] = join(row[2*i], row[2*i+1])
		}
		l.pixels()
		l.write(y, l.low)
	case !l.waiting:
		copy(l.before, row)
		l.waiting = true
	default:
		for i, high := range row {
			l.pairs[i] = join(l.before[i], high)
		}
		l.rows()
		l.write(y-1, l.low)
		l.write(y, l.high)
		l.waiting = false
	}
}

// flush writes row y, if it waits for another.
func (l *lines) flush(y int) {
	if !l.waiting {
		return
	}
	for i, low := range l.before {
		l.pairs[i] = pair(low)
	}
	l.rows()
	l.write(y, l.low)
}

func (l *lines) rows() {
	for x, s := range l.across {
		sum := pair(0)
		part := l.pairs[s.first-l.from:][:len(s.weights)]
		for i, w := range s.weights {
			sum += pair(w) * part[i]
		}
		l.low[x], l.high[x] = sum.sums()
	}
}

func (l *lines) pixels() {
	for x, s := range l.across {
		rg, ba := pair(0), pair(0)
		part := l.pairs[2*(s.first-l.from):][:2*len(s.weights)]
		for i, w := range s.weights {
			pixel := part[2*i : 2*i+2 : 2*i+2]
			rg += pair(w) * pixel[0]
			ba += pair(w) * pixel[1]
		}
		dst := l.low[4*x : 4*x+4 : 4*x+4]
		dst[0], dst[1] = rg.sums()
		dst[2], dst[3] = ba.sums()
	}
}
