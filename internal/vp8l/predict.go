package vp8l

// predict returns what the mode expects of a pixel with these neighbours (RFC
// 9649, 3.5.1).
func predict(mode uint8, left, above, upLeft, upRight uint32) uint32 {
	switch mode {
	case 1:
		return left
	case 2:
		return above
	case 3:
		return upRight
	case 4:
		return upLeft
	case 5:
		return average(average(left, upRight), above)
	case 6:
		return average(left, upLeft)
	case 7:
		return average(left, above)
	case 8:
		return average(upLeft, above)
	case 9:
		return average(above, upRight)
	case 10:
		return average(average(left, upLeft), average(above, upRight))
	case 11:
		return nearer(left, above, upLeft)
	case 12:
		return gradient(left, above, upLeft)
	case 13:
		return halfGradient(average(left, above), upLeft)
	default:
		return 0xff000000
	}
}

// The functions below treat the four bytes of a pixel alike, some of them two
// or four at a time.

// oddBytes are every other byte, with room above each for a carry.
const oddBytes = 0x00ff00ff

// addPixels adds byte by byte, without carries in between.
func addPixels(a, b uint32) uint32 {
	return (a&oddBytes+b&oddBytes)&oddBytes | (a&^oddBytes+b&^oddBytes)&^oddBytes
}

// average rounds down. What two bytes have in common counts in full, what they
// differ in by half.
func average(a, b uint32) uint32 { return a&b + (a^b)>>1&0x7f7f7f7f }

// nearer returns that of left and above which is nearer to left + above -
// upLeft, summed over the bytes.
func nearer(left, above, upLeft uint32) uint32 {
	toLeft, toAbove := 0, 0
	for shift := 0; shift < 32; shift += 8 {
		l, a, c := int(left>>shift&0xff), int(above>>shift&0xff), int(upLeft>>shift&0xff)
		toLeft += abs(a - c)
		toAbove += abs(l - c)
	}
	if toLeft < toAbove {
		return left
	}
	return above
}

// gradient returns left + above - upLeft.
func gradient(left, above, upLeft uint32) uint32 {
	v := uint32(0)
	for shift := 0; shift < 32; shift += 8 {
		l, a, c := int(left>>shift&0xff), int(above>>shift&0xff), int(upLeft>>shift&0xff)
		v |= clampByte(l+a-c) << shift
	}
	return v
}

// halfGradient goes on from upLeft to mean by half as much again, rounded
// towards mean.
func halfGradient(mean, upLeft uint32) uint32 {
	v := uint32(0)
	for shift := 0; shift < 32; shift += 8 {
		m, c := int(mean>>shift&0xff), int(upLeft>>shift&0xff)
		v |= clampByte(m+(m-c)/2) << shift
	}
	return v
}

func clampByte(v int) uint32 { return uint32(min(max(v, 0), 255)) }

func abs(v int) int { return max(v, -v) }
