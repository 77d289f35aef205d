package weights

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// This file reads and writes .safetensors files as far as matrices take it: the length of a header in 8 bytes,
// little-endian, the header in JSON, and the arrays' numbers without a gap,
//
//	{"__metadata__": {TEXT: TEXT, ...}, NAME: {"dtype": "F32", "shape": [5, 4], "data_offsets": [0, 80]}, ...}
//
// row-major and little-endian. The format has no checksum: a changed bit is another weight. Those that are written here have
// one in their metadata, which is compared where there is one.

// maxTensorsHeader is far above the header of every network.
const maxTensorsHeader = 1 << 20

const (
	metadataKey = "__metadata__"
	checksumKey = "corinfo.crc32" // of checksum
)

// tensor is an array of a file, as its header has it.
type tensor struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64 // of its numbers, behind the header
}

// tensorNumbers are the types that can be read.
var tensorNumbers = map[string]number{
	"F64": {8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
	"F32": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	"F16": {2, func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) }},
	"BF16": {2, func(b []byte) float64 {
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
	}},
}

// readSafetensors reads a file of safetensors.torch.save_file and its like.
func readSafetensors(r io.ReaderAt, size int64, d *rule.Description, layers []string) (Weights, []string, error) {
	tensors, data, sum, err := openTensors(r, size)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(tensors))
	for i, t := range tensors {
		names[i] = t.name
	}
	arrays, err := find(d, names, layers)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range arrays { // before any number is read: then all that is read is of the network's size
		p := d.Projections[f.projection]
		if err := tensors[f.entry].check(p.Rows, p.Cols); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if sum != "" {
		got, err := checksum(tensors, func(h hash.Hash, i int) error {
			_, err := io.Copy(h, tensors[i].numbers(data))
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", golden.ErrDamaged, err)
		}
		if got != sum {
			return nil, nil, fmt.Errorf("%w: the checksum in its metadata is not that of its arrays; copy or export it again, "+
				"or save what was changed on purpose without metadata", golden.ErrDamaged)
		}
	}
	return collect(d, arrays, func(entry, rows, cols int) (*mat.Dense, error) {
		t := tensors[entry]
		return readRows(bufio.NewReaderSize(t.numbers(data), 1<<16), rows, cols, tensorNumbers[t.dtype])
	})
}

// numbers reads those of a tensor out of all.
func (t *tensor) numbers(data *io.SectionReader) io.Reader {
	return io.NewSectionReader(data, t.begin, t.end-t.begin)
}

// check compares a tensor with what the network wants, and its length with its shape.
func (t *tensor) check(rows, cols int) error {
	n, ok := tensorNumbers[t.dtype]
	if !ok {
		return golden.Usagef("dtype %.40q; want F64, F32, F16 or BF16: convert it with .double()", t.dtype)
	}
	if err := checkShape(t.shape, rows, cols); err != nil {
		return err
	}
	if want := int64(rows) * int64(cols) * int64(n.size); t.end-t.begin != want {
		return fmt.Errorf("%w: %d bytes of numbers; a shape of %s in %s has %d", golden.ErrDamaged, t.end-t.begin,
			shapeText(t.shape), t.dtype, want)
	}
	return nil
}

// checksum is the CRC-32 of all tensors, sorted by name: a line of name, type and shape, and the numbers.
func checksum(tensors []tensor, add func(h hash.Hash, i int) error) (string, error) {
	order := make([]int, len(tensors))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(tensors[i].name, tensors[j].name) })
	h := crc32.NewIEEE()
	for _, i := range order {
		fmt.Fprintf(h, "%s %s %s\n", tensors[i].name, tensors[i].dtype, shapeText(tensors[i].shape))
		if err := add(h, i); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%08x", h.Sum32()), nil
}

// openTensors reads and checks the header of a file. data are all numbers; sum is the checksum, if it has one.
func openTensors(r io.ReaderAt, size int64) (tensors []tensor, data *io.SectionReader, sum string, err error) {
	start := make([]byte, 9)
	length, _ := r.ReadAt(start, 0)
	start = start[:length]
	switch {
	case bytes.HasPrefix(start, []byte("PK")):
		return nil, nil, "", golden.Usagef("a zip archive; rename one of NumPy to FILE.npz, " +
			"and write PyTorch's by safetensors.torch.save_file(model.state_dict(), FILE.safetensors)")
	case length < 9 || start[8] != '{':
		return nil, nil, "", golden.Usagef("no .safetensors file; safetensors.torch.save_file(model.state_dict(), FILE.safetensors) writes one")
	}
	header := binary.LittleEndian.Uint64(start)
	if header > uint64(size-8) {
		return nil, nil, "", fmt.Errorf("%w: truncated or changed: a header of %d bytes in a file of %d; copy or save it again",
			golden.ErrDamaged, header, size)
	}
	if header > maxTensorsHeader {
		return nil, nil, "", golden.Usagef("header of %d bytes; that of a network has at most %d: save the network's arrays only, without metadata",
			header, maxTensorsHeader)
	}
	text := make([]byte, header)
	if _, err := r.ReadAt(text, 8); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, "", fmt.Errorf("%w: %w", golden.ErrDamaged, err)
	}
	tensors, metadata, err := parseTensors(text)
	if err != nil {
		return nil, nil, "", fmt.Errorf("%w: header: %w; copy or save it again", golden.ErrDamaged, err)
	}
	data = io.NewSectionReader(r, 8+int64(header), size-8-int64(header))
	if err := checkLayout(tensors, data.Size()); err != nil {
		return nil, nil, "", fmt.Errorf("%w: %w; copy or save it again", golden.ErrDamaged, err)
	}
	return tensors, data, metadata[checksumKey], nil
}

// checkLayout: the tensors follow each other and fill the file.
func checkLayout(tensors []tensor, size int64) error {
	order := slices.Clone(tensors)
	slices.SortStableFunc(order, func(a, b tensor) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	at := int64(0)
	for _, t := range order {
		switch {
		case t.end < t.begin:
			return fmt.Errorf("%.100q ends at byte %d, before its begin at %d", t.name, t.end, t.begin)
		case t.end > size:
			return fmt.Errorf("truncated or changed: %.100q ends at byte %d of the numbers; there are %d", t.name, t.end, size)
		case t.begin < at:
			return fmt.Errorf("%.100q begins at byte %d of the numbers, within another array, which ends at %d", t.name, t.begin, at)
		case t.begin > at:
			return fmt.Errorf("%.100q begins at byte %d of the numbers; those before it end at %d", t.name, t.begin, at)
		}
		at = t.end
	}
	if at != size {
		return fmt.Errorf("%d bytes of numbers; the arrays have %d", size, at)
	}
	return nil
}

// headerParser reads a header token by token: encoding/json alone takes the last of two equal keys, and keys in any case.
type headerParser struct{ *json.Decoder }

// parseTensors reads a header. Names that are there twice are left to those who look for them.
func parseTensors(text []byte) (tensors []tensor, metadata map[string]string, err error) {
	if !utf8.Valid(text) {
		return nil, nil, errors.New("not UTF-8")
	}
	p := headerParser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	err = p.object(func(name string) error {
		if name != metadataKey {
			t, err := p.tensor()
			t.name = name
			tensors = append(tensors, t)
			if err != nil {
				return fmt.Errorf("%.100q: %w", name, err)
			}
			return nil
		}
		if metadata != nil {
			return fmt.Errorf("two of %s", metadataKey)
		}
		metadata = map[string]string{}
		return p.object(func(key string) error {
			if _, ok := metadata[key]; ok {
				return fmt.Errorf("two of %.100q in %s", key, metadataKey)
			}
			metadata[key], err = p.text()
			return err
		})
	})
	if err != nil {
		return nil, nil, err
	}
	if rest := bytes.Trim(text[p.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, nil, fmt.Errorf("%.40q behind its end", rest)
	}
	return tensors, metadata, nil
}

// tensor reads what a header says of one.
func (p headerParser) tensor() (t tensor, err error) {
	seen := map[string]bool{}
	err = p.object(func(key string) error {
		if seen[key] {
			return fmt.Errorf("two of %s", key)
		}
		var err error
		switch key {
		case "dtype":
			t.dtype, err = p.text()
		case "shape":
			var list []int64
			list, err = p.integers()
			for _, extent := range list {
				t.shape = append(t.shape, int(extent))
			}
		case "data_offsets":
			var list []int64
			if list, err = p.integers(); err == nil && len(list) != 2 {
				err = fmt.Errorf("%d data_offsets; want 2", len(list))
			}
			if err == nil {
				t.begin, t.end = list[0], list[1]
			}
		default:
			err = fmt.Errorf("unknown %.100q", key)
		}
		seen[key] = true
		return err
	})
	if err == nil && len(seen) != 3 {
		err = errors.New("lacks dtype, shape or data_offsets")
	}
	return t, err
}

// delimiter reads one.
func (p headerParser) delimiter(want json.Delim) error {
	got, err := p.token()
	if err == nil && got != want {
		err = fmt.Errorf("%.40v in the place of %v", got, want)
	}
	return err
}

// token is Token with an end that is too early as an error like others.
func (p headerParser) token() (json.Token, error) {
	t, err := p.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

// object reads one; value reads that of a key.
func (p headerParser) object(value func(key string) error) error {
	if err := p.delimiter('{'); err != nil {
		return err
	}
	for p.More() {
		key, err := p.text()
		if err == nil {
			err = value(key)
		}
		if err != nil {
			return err
		}
	}
	return p.delimiter('}')
}

func (p headerParser) text() (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	text, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%.40v in the place of a text", t)
	}
	return text, nil
}

// integers reads a list of numbers from 0 on.
func (p headerParser) integers() (list []int64, err error) {
	if err := p.delimiter('['); err != nil {
		return nil, err
	}
	for p.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		n, _ := t.(json.Number)
		v, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("%.40v in the place of a whole number from 0 on", t)
		}
		list = append(list, v)
	}
	return list, p.delimiter(']')
}

// encodeSafetensors is a file with the arrays in the order of the weights, which starts their numbers at a multiple of 8.
func encodeSafetensors(d *rule.Description, w Weights, dtype DType, names map[int]fileName) ([]byte, error) {
	kind := map[DType]string{NumPyFloat64: "F64", NumPyFloat32: "F32"}[dtype]
	var data bytes.Buffer
	var tensors []tensor
	for i, at := range d.Stored() {
		f, p := names[at], d.Projections[at]
		t := tensor{name: f.name, dtype: kind, shape: []int{p.Rows, p.Cols}, begin: int64(data.Len())}
		if f.vector {
			t.shape = t.shape[:1]
		}
		if err := writeNumbers(&data, w[i].Dense, dtype); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		t.end = int64(data.Len())
		tensors = append(tensors, t)
	}
	sum, _ := checksum(tensors, func(h hash.Hash, i int) error {
		_, err := h.Write(data.Bytes()[tensors[i].begin:tensors[i].end])
		return err
	})
	header := fmt.Sprintf(`{%q:{%q:%q}`, metadataKey, checksumKey, sum)
	for _, t := range tensors {
		name, err := json.Marshal(t.name)
		if err != nil {
			return nil, err
		}
		shape := strings.Join(strings.Fields(fmt.Sprint(t.shape)), ",")
		header += fmt.Sprintf(`,%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, t.dtype, shape, t.begin, t.end)
	}
	header += "}"
	header += strings.Repeat(" ", -len(header)&7)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return slices.Concat(file, []byte(header), data.Bytes()), nil
}
