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

// resample makes a picture of n by n pixels: first down the columns, two samples
// of a row at a time in the halves of an integer, and then along each row. It
// hands over row by row, whose samples may lie outside of 0 and unit, by the
// kernel's overshoot.
func resample(src rows, h, v view, n int, write func(y int, samples []int32)) {
	across, down := spans(h, n, src.width), spans(v, n, src.height)
	from, to := extent(across)
	line := newColumns((to - from) * src.channels)
	samples := make([]uint16, (to-from)*src.channels)
	flat := make([]int32, (to-from)*src.channels)
	out := make([]int32, n*src.channels)
	first, last := extent(down)
	open, done := 0, 0 // the rows of the result that are begun and finished
	for y := first; y < last; y++ {
		for open < n && down[open].first <= y {
			line.begin(open)
			open++
		}
		src.read(samples, y, from, to)
		line.take(samples)
		for row := done; row < open; row++ {
			if at := y - down[row].first; at < len(down[row].weights) {
				line.add(row, down[row].weights[at])
			}
		}
		for done < open && y == down[done].first+len(down[done].weights)-1 {
			line.finish(done, flat)
			along(out, flat, across, from, src.channels)
			write(done, out)
			done++
		}
	}
}

// extent is from the first sample that counts to behind the last.
func extent(spans []span) (from, to int) {
	last := spans[len(spans)-1]
	return spans[0].first, last.first + len(last.weights)
}

// columns sums up rows by their weights. Its integers have two samples each: a
// sum of products keeps them apart, since a negative lower half is a borrow
// from the upper one, which is given back when they are parted.
type columns struct {
	row  []int64
	sums map[int][]int64
	free [][]int64
}

func newColumns(samples int) *columns {
	return &columns{row: make([]int64, (samples+1)/2), sums: map[int][]int64{}}
}

// begin makes room for the sums of a row of the result.
func (c *columns) begin(row int) {
	if last := len(c.free) - 1; last >= 0 {
		clear(c.free[last])
		c.sums[row], c.free = c.free[last], c.free[:last]
		return
	}
	c.sums[row] = make([]int64, len(c.row))
}

// take packs a row of the source.
func (c *columns) take(samples []uint16) {
	pairs := len(samples) / 2
	for i, row := 0, c.row[:pairs]; i < len(row); i++ {
		pair := samples[2*i : 2*i+2 : 2*i+2]
		row[i] = int64(pair[0]) | int64(pair[1])<<32
	}
	if len(samples)%2 == 1 {
		c.row[pairs] = int64(samples[len(samples)-1])
	}
}

func (c *columns) add(row int, weight int32) {
	w := int64(weight)
	sums := c.sums[row]
	for i, pair := range c.row[:len(sums)] {
		sums[i] += w * pair
	}
}

// finish writes the samples of a row of the result.
func (c *columns) finish(row int, dst []int32) {
	sums := c.sums[row]
	for i, sum := range sums {
		low := int32(sum)
		dst[2*i] = (low + one/2) >> weightBits
		if 2*i+1 < len(dst) {
			high := int32((sum - int64(low)) >> 32)
			dst[2*i+1] = (high + one/2) >> weightBits
		}
	}
	delete(c.sums, row)
	c.free = append(c.free, sums)
}

// along makes a row of the result from one whose columns begin at from.
func along(dst, src []int32, across []span, from, channels int) {
	if channels == 1 {
		for x, s := range across {
			sum := int32(one / 2)
			part := src[s.first-from:][:len(s.weights)]
			for i, w := range s.weights {
				sum += w * part[i]
			}
			dst[x] = sum >> weightBits
		}
		return
	}
	for x, s := range across {
		r, g, b, a := int32(one/2), int32(one/2), int32(one/2), int32(one/2)
		part := src[4*(s.first-from):][:4*len(s.weights)]
		for i, w := range s.weights {
			pixel := part[4*i : 4*i+4 : 4*i+4]
			r += w * pixel[0]
			g += w * pixel[1]
			b += w * pixel[2]
			a += w * pixel[3]
		}
		dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = r>>weightBits, g>>weightBits, b>>weightBits, a>>weightBits
	}
}
