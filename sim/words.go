package sim

import (
	"fmt"
	"strings"
)

// pack appends the words of all lanes as the harnesses print a bus: hexadecimal, the last lane first.
func pack(text []byte, words []int64, width int) []byte {
	digits := (len(words)*width + 3) / 4
	nibbles := make([]byte, digits+1)
	for lane, word := range words {
		at := lane * width
		for bit := 0; bit < width; {
			shift := at & 3
			take := min(4-shift, width-bit)
			part := byte(word>>bit) & (1<<take - 1)
			nibbles[at>>2] |= part << shift
			bit += take
			at += take
		}
	}
	for i := digits - 1; i >= 0; i-- {
		text = append(text, "0123456789abcdef"[nibbles[i]])
	}
	return text
}

// unpack reads a bus; a digit that is not 0 or 1 in some bit is an error.
func unpack(text string, lanes, width int) ([]int64, error) {
	if want := (lanes*width + 3) / 4; len(text) != want {
		return nil, fmt.Errorf("%d digits; want %d", len(text), want)
	}
	words := make([]int64, lanes)
	for i := range len(text) {
		digit := strings.IndexByte("0123456789abcdef", text[len(text)-1-i])
		if digit < 0 {
			return nil, fmt.Errorf("unknown bits %q", text)
		}
		for b := range 4 {
			at := 4*i + b
			if at < lanes*width && digit>>b&1 == 1 {
				words[at/width] |= 1 << (at % width)
			}
		}
	}
	for lane := range words {
		words[lane] = words[lane] << (64 - width) >> (64 - width)
	}
	return words, nil
}
