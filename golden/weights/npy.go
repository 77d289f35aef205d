package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
)

// This file reads and writes NumPy's .npy arrays as far as matrices take it. A library does it for files of one's own;
// sbinet/npyio, the known one, does not do for those of others: it takes a short read, which compressed entries
// give, for a whole one and goes on with wrong numbers, takes the end of a truncated file for zeros, allocates whatever a
// header claims, panics at one without a line feed, and knows neither float16 nor version 3 of the format.

// DType is the type of an array's numbers, as NumPy writes it; a .safetensors file has other words for it.
type DType string

// Types of exported arrays.
const (
	NumPyFloat64 DType = "<f8"
	NumPyFloat32 DType = "<f4"
	numPyInt64   DType = "<i8"
)

const npyMagic = "\x93NUMPY"

// maxArrayHeader is above every header that NumPy itself reads without being told to trust the file.
const maxArrayHeader = 1 << 16

// arrayHeader is what an array says of itself.
type arrayHeader struct {
	dtype   string // of one number, or the list of a structure
	fortran bool   // column after column
	shape   []int
}

// A header is a Python dictionary with these keys, in any order.
var (
	dtypeEntry   = regexp.MustCompile(`['"]descr['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|(\[.*\]))`)
	fortranEntry = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)\b`)
	shapeEntry   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9,\sL]*)\)`)
)

// readArrayHeader reads an array up to its first number.
func readArrayHeader(r io.Reader) (arrayHeader, error) {
	var h arrayHeader
	start := make([]byte, len(npyMagic)+2)
	if err := readWhole(r, start); err != nil {
		return h, err
	}
	if string(start[:len(npyMagic)]) != npyMagic {
		return h, fmt.Errorf("%w: not a NumPy array", golden.ErrDamaged)
	}
	length := make([]byte, 4)
	switch version := start[len(npyMagic)]; version {
	case 1:
		length = length[:2]
	case 2, 3:
	default:
		return h, golden.Usagef("version %d of NumPy's array format; want 1 to 3: save it with a NumPy that writes these", version)
	}
	if err := readWhole(r, length); err != nil {
		return h, err
	}
	size := binary.LittleEndian.Uint32(append(length, 0, 0))
	if size > maxArrayHeader {
		return h, fmt.Errorf("%w: array header of %d bytes", golden.ErrDamaged, size)
	}
	text := make([]byte, size)
	if err := readWhole(r, text); err != nil {
		return h, err
	}
	dtype, fortran, shape := dtypeEntry.FindSubmatch(text), fortranEntry.FindSubmatch(text), shapeEntry.FindSubmatch(text)
	if dtype == nil || fortran == nil || shape == nil {
		return h, fmt.Errorf("%w: array header %.100q lacks descr, fortran_order or shape", golden.ErrDamaged, text)
	}
	h.dtype, h.fortran = string(dtype[1])+string(dtype[2])+string(dtype[3]), string(fortran[1]) == "True"
	for _, part := range strings.Split(string(shape[1]), ",") {
		part = strings.TrimSuffix(strings.TrimSpace(part), "L") // as Python 2 wrote it
		if part == "" {
			continue // behind the last comma
		}
		extent, err := strconv.Atoi(part)
		if err != nil {
			return h, fmt.Errorf("%w: array header: shape (%.100s)", golden.ErrDamaged, shape[1])
		}
		h.shape = append(h.shape, extent)
	}
	return h, nil
}

// shapeText is a shape, as NumPy prints it.
func shapeText(shape []int) string {
	text := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]")
	if len(shape) == 1 {
		text += ","
	}
	return "(" + text + ")"
}

// checkShape compares the shape of an array with the network's; a matrix of one column may be a vector, as biases are held.
func checkShape(shape []int, rows, cols int) error {
	switch {
	case len(shape) == 1 && cols == 1 && shape[0] == rows:
		return nil
	case len(shape) != 2 || shape[0] != rows || shape[1] != cols:
		remedy := ""
		if len(shape) == 2 && shape[0] == cols && shape[1] == rows {
			remedy = ": transpose it with .T"
		}
		return golden.Usagef("shape %s; the network wants (%d, %d)%s", shapeText(shape), rows, cols, remedy)
	}
	return nil
}

// number tells how numbers of a type are stored and read.
type number struct {
	size  int
	value func(b []byte) float64
}

// numberOf is the reader of a type, golden.ErrUsage for all but floating-point numbers of 16, 32 and 64 bits.
func numberOf(dtype string) (number, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if strings.HasPrefix(dtype, ">") {
		order = binary.BigEndian
	}
	switch dtype {
	case "<f8", ">f8":
		return number{8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }}, nil
	case "<f4", ">f4":
		return number{4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }}, nil
	case "<f2", ">f2":
		return number{2, func(b []byte) float64 { return half(order.Uint16(b)) }}, nil
	}
	is := ""
	switch kind := strings.TrimLeft(dtype, "<>=|"); {
	case strings.HasPrefix(kind, "O"):
		is = ", Python objects"
	case strings.HasPrefix(kind, "c"):
		is = ", complex numbers"
	case strings.HasPrefix(kind, "i"), strings.HasPrefix(kind, "u"):
		is = ", integers"
	case strings.HasPrefix(kind, "["):
		is = ", records"
	}
	return number{}, golden.Usagef("dtype %.40q%s; want float64, float32 or float16: convert it with .astype('float64')", dtype, is)
}

// half is the value of a binary16 number.
func half(bits uint16) float64 {
	sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// readMatrix reads an array that must have rows x cols numbers, up to and including its end. Nothing is allocated before
// the header has this shape.
func readMatrix(r io.Reader, rows, cols int) (*mat.Dense, error) {
	h, err := readArrayHeader(r)
	if err != nil {
		return nil, err
	}
	n, err := numberOf(h.dtype)
	if err != nil {
		return nil, err
	}
	if err := checkShape(h.shape, rows, cols); err != nil {
		return nil, err
	}
	lines, along := rows, cols
	if h.fortran {
		lines, along = cols, rows
	}
	data := make([]float64, rows*cols)
	line := make([]byte, along*n.size)
	for i := range lines {
		if err := readWhole(r, line); err != nil {
			return nil, err
		}
		for j := range along {
			at := i*cols + j
			if h.fortran {
				at = j*cols + i
			}
			data[at] = n.value(line[j*n.size:])
		}
	}
	switch _, err := io.ReadFull(r, line[:1]); { // an archive compares its checksum only at the end
	case err == nil:
		return nil, fmt.Errorf("%w: the array has more numbers than its shape %s", golden.ErrDamaged, shapeText(h.shape))
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %w", golden.ErrDamaged, err)
	}
	return mat.NewDense(rows, cols, data), nil
}

// readWhole fills b; a file that ends before is damaged.
func readWhole(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the array ends too early", golden.ErrDamaged)
	case err != nil:
		return fmt.Errorf("%w: %w", golden.ErrDamaged, err)
	}
	return nil
}

// arrayStart is an array up to its first number; shape is as Python writes it.
func arrayStart(dtype DType, shape string) []byte {
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", dtype, shape)
	// The numbers start at a multiple of 64 bytes, as NumPy has it.
	start := len(npyMagic) + 4
	head += strings.Repeat(" ", 63-(start+len(head))%64) + "\n"
	text := append([]byte(npyMagic), 1, 0)
	return append(binary.LittleEndian.AppendUint16(text, uint16(len(head))), head...)
}

// WriteIntegers writes an array of one dimension.
func WriteIntegers(w io.Writer, list []int64) error {
	text := arrayStart(numPyInt64, fmt.Sprintf("(%d,)", len(list)))
	for _, v := range list {
		text = binary.LittleEndian.AppendUint64(text, uint64(v))
	}
	_, err := w.Write(text)
	return err
}

// WriteMatrix writes an array, row after row. A number that is finite, but not in the type, is golden.ErrUsage.
func WriteMatrix(w io.Writer, m *mat.Dense, dtype DType) error {
	return writeArray(w, m, dtype, false)
}

// writeArray writes a matrix, or the vector of a matrix with one column.
func writeArray(w io.Writer, m *mat.Dense, dtype DType, vector bool) error {
	rows, cols := m.Dims()
	shape := fmt.Sprintf("(%d, %d)", rows, cols)
	if vector {
		shape = fmt.Sprintf("(%d,)", rows)
	}
	if _, err := w.Write(arrayStart(dtype, shape)); err != nil {
		return err
	}
	return writeNumbers(w, m, dtype)
}

// writeNumbers writes a matrix row after row, little-endian.
func writeNumbers(w io.Writer, m *mat.Dense, dtype DType) error {
	var text []byte
	for i := range m.RawMatrix().Rows {
		for j, v := range m.RawRowView(i) {
			if dtype == NumPyFloat64 {
				text = binary.LittleEndian.AppendUint64(text, math.Float64bits(v))
				continue
			}
			short := float32(v)
			if math.IsInf(float64(short), 0) && !math.IsInf(v, 0) {
				return golden.Usagef("row %d column %d: %v is beyond float32; write float64", i, j, v)
			}
			text = binary.LittleEndian.AppendUint32(text, math.Float32bits(short))
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		text = text[:0]
	}
	return nil
}
