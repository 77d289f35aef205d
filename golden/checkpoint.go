package golden

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// Arithmetics of a run.
const (
	Float = "float" // float64
	Fixed = "fixed" // bit-true
)

// Tensor is one matrix of synapses in a checkpoint: float64 values, or raw words of Type. Row-major.
type Tensor struct {
	Name       string
	Rows, Cols int
	Values     []float64 // Arithmetic Float
	Words      []int64   // Arithmetic Fixed
	Type       string    `json:",omitempty"`
}

// Checkpoint is the state of a run: all that is needed to continue it to the same bits.
type Checkpoint struct {
	Network    *Network
	Arithmetic string
	Epoch      int // epochs completed
	Batch      int // mini-batches completed in the epoch under way
	Step       int // mini-batches completed in all
	Seed       uint32
	Tensors    []Tensor
	Ranges     Ranges
	History    []EpochMetrics
}

const (
	checkpointFile  = "checkpoint"
	checkpointMagic = "corinfo checkpoint 1\n"
)

// header is the part of a checkpoint that is JSON; the tensors' numbers follow it as 8-byte little-endian words.
type header struct {
	Network    string
	Arithmetic string
	Epoch      int
	Batch      int
	Step       int
	Seed       uint32
	Tensors    []Tensor
	Ranges     Ranges
	History    []EpochMetrics
}

// Save writes the checkpoint into a folder, whole or not at all: the one before it stays until the new
// one is on disk. NaN is refused.
func (c *Checkpoint) Save(dir string) error {
	h := header{string(c.Network.YAML()), c.Arithmetic, c.Epoch, c.Batch, c.Step, c.Seed, nil, c.Ranges, c.History}
	var body bytes.Buffer
	for _, t := range c.Tensors {
		h.Tensors = append(h.Tensors, Tensor{Name: t.Name, Rows: t.Rows, Cols: t.Cols, Type: t.Type})
		if err := t.check(c.Arithmetic); err != nil {
			return err
		}
		if c.Arithmetic == Fixed {
			_ = binary.Write(&body, binary.LittleEndian, t.Words)
		} else {
			_ = binary.Write(&body, binary.LittleEndian, t.Values)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	var file bytes.Buffer
	file.WriteString(checkpointMagic)
	_ = binary.Write(&file, binary.LittleEndian, uint64(len(text)))
	file.Write(text)
	file.Write(body.Bytes())
	sum := sha256.Sum256(file.Bytes())
	file.Write(sum[:])
	return WriteFile(filepath.Join(dir, checkpointFile), file.Bytes())
}

func (t *Tensor) check(arithmetic string) error {
	if arithmetic == Fixed {
		if len(t.Words) != t.Rows*t.Cols {
			return fmt.Errorf("%w: %s: %d words for %d x %d", ErrDamaged, t.Name, len(t.Words), t.Rows, t.Cols)
		}
		return nil
	}
	if len(t.Values) != t.Rows*t.Cols {
		return fmt.Errorf("%w: %s: %d values for %d x %d", ErrDamaged, t.Name, len(t.Values), t.Rows, t.Cols)
	}
	for i, v := range t.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: %s row %d column %d is %v", ErrDamaged, t.Name, i/t.Cols, i%t.Cols, v)
		}
	}
	return nil
}

// LoadCheckpoint reads and verifies the checkpoint of a folder. A file that is not what Save wrote is ErrDamaged,
// one that is not there ErrUsage.
func LoadCheckpoint(dir string) (*Checkpoint, error) {
	path := filepath.Join(dir, checkpointFile)
	file, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s holds no checkpoint; `corinfo train` makes one", ErrUsage, dir)
	}
	if err != nil {
		return nil, err
	}
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: "+format+"; restore it from a copy or train again", append([]any{ErrDamaged, path}, args...)...)
	}
	start := len(checkpointMagic) + 8
	if len(file) < start+sha256.Size || string(file[:len(checkpointMagic)]) != checkpointMagic {
		return nil, damaged("not a whole checkpoint: %d bytes", len(file))
	}
	end := len(file) - sha256.Size
	if sum := sha256.Sum256(file[:end]); !bytes.Equal(sum[:], file[end:]) {
		return nil, damaged("checksum differs: truncated or changed")
	}
	length := binary.LittleEndian.Uint64(file[len(checkpointMagic):])
	if length > uint64(end-start) {
		return nil, damaged("header of %d bytes in a file of %d", length, len(file))
	}
	var h header
	if err := json.Unmarshal(file[start:start+int(length)], &h); err != nil {
		return nil, damaged("%v", err)
	}
	n, err := ParseNetwork(path, []byte(h.Network))
	if err != nil {
		return nil, damaged("%v", err)
	}
	c := &Checkpoint{n, h.Arithmetic, h.Epoch, h.Batch, h.Step, h.Seed, h.Tensors, h.Ranges, h.History}
	body := bytes.NewReader(file[start+int(length) : end])
	for i := range c.Tensors {
		t := &c.Tensors[i]
		if t.Rows < 0 || t.Cols < 0 || t.Rows*t.Cols*8 > body.Len() {
			return nil, damaged("%s: %d x %d is more than the file holds", t.Name, t.Rows, t.Cols)
		}
		if c.Arithmetic == Fixed {
			t.Words = make([]int64, t.Rows*t.Cols)
			_ = binary.Read(body, binary.LittleEndian, t.Words)
		} else {
			t.Values = make([]float64, t.Rows*t.Cols)
			_ = binary.Read(body, binary.LittleEndian, t.Values)
		}
		if err := t.check(c.Arithmetic); err != nil {
			return nil, err
		}
	}
	if body.Len() != 0 {
		return nil, damaged("%d bytes too many", body.Len())
	}
	return c, nil
}

// WriteFile writes a file under a temporary name, syncs it and renames it, so that a reader sees the old
// or the new content and a full disk leaves the old.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".corinfo-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Tensors are the machine's synapses for a checkpoint.
func (m *Machine) Tensors() []Tensor {
	var list []Tensor
	for i, x := range m.A.Matrices {
		t := Tensor{Name: x.Name(), Rows: x.Rows, Cols: x.Cols, Type: x.Type.String(), Words: make([]int64, x.Rows*x.Cols)}
		for row := range x.Rows {
			for col := range x.Cols {
				t.Words[row*x.Cols+col] = m.Synapse(i, row, col)
			}
		}
		list = append(list, t)
	}
	return list
}

// SetTensors takes the synapses of a checkpoint, which must have the machine's names, shapes and types.
func (m *Machine) SetTensors(list []Tensor) error {
	if len(list) != len(m.A.Matrices) {
		return usagef("checkpoint: %d matrices; the network has %d", len(list), len(m.A.Matrices))
	}
	for i, x := range m.A.Matrices {
		t := list[i]
		if t.Name != x.Name() || t.Rows != x.Rows || t.Cols != x.Cols || t.Type != x.Type.String() || len(t.Words) != x.Rows*x.Cols {
			return usagef("checkpoint: %s %d x %d of %s; the network wants %s %d x %d of %v", t.Name, t.Rows, t.Cols, t.Type, x.Name(), x.Rows, x.Cols, x.Type)
		}
		for j, word := range t.Words {
			if !x.Type.Contains(x.Type.Int(word)) {
				return fmt.Errorf("%w: %s row %d column %d: word %d is outside %v", ErrDamaged, t.Name, j/x.Cols, j%x.Cols, word, x.Type)
			}
			m.SetSynapse(i, j/x.Cols, j%x.Cols, word)
		}
	}
	return nil
}
