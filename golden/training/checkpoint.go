// Package training trains networks and keeps what a training leaves on the disk: checkpoints and metrics.
package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/weights"
)

// Arithmetics of a run.
const (
	Float   = "float"   // float64
	Float32 = "float32" // float32; a checkpoint holds its values as float64
	Fixed   = "fixed"   // bit-true
)

// Tensor is one matrix of synapses in a checkpoint, or of words beside them: float64 values, or raw words of Type. Row-major.
type Tensor struct {
	Name       string
	Rows, Cols int
	Values     []float64 // Arithmetic Float or Float32
	Words      []int64   // Arithmetic Fixed
	Type       string    `json:",omitempty"`
}

// Checkpoint is the state of a run: all that is needed to continue it to the same bits.
type Checkpoint struct {
	Network    *network.Network `json:"-"`
	Arithmetic string
	Program    string `json:",omitempty"` // that saved it last
	Seed       uint32 // of the order of samples, the signs of beta and stochastic rounding; the network file's unless replaced
	Data       string // Checksum of the data set that the weights were learned from; empty before training
	Limit      int    // training samples in use, the first ones; 0: all
	Epoch      int    // epochs completed
	Batch      int    // mini-batches completed in the epoch under way
	Step       int    // mini-batches completed in all
	Tensors    []Tensor
	Ranges     calibrate.Ranges // that the formats were chosen from, if they were
	Start      *NetworkMetrics  // before learning; nil before training, and in runs that began without
	Answers    Score            // of the learning samples of the epoch under way; runs that began without it count fewer
	History    []EpochMetrics
}

// CheckpointFile is the name of a checkpoint within its folder.
const CheckpointFile = "checkpoint"

const checkpointMagic = "corinfo checkpoint 1\n"

// Limits of the file: a header is its network file, some hundred bytes a tensor and some kilobytes an epoch.
const (
	maxHeader     = 1 << 28
	maxCheckpoint = int64(len(checkpointMagic)) + 8 + maxHeader + 3*8*network.MaxSynapses + sha256.Size // weights and two words beside them
)

// header is the part of a checkpoint that is JSON, its network as the text of a network file; the tensors'
// numbers follow it as 8-byte little-endian words.
type header struct {
	NetworkFile string
	Checkpoint
}

// Save writes the checkpoint into a folder, which it makes, whole or not at all: the one before it stays until
// the new one is on disk. It sets Program. NaN is refused.
func (c *Checkpoint) Save(dir string) error {
	c.Program = golden.Program()
	file, err := c.encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	path := filepath.Join(dir, CheckpointFile)
	if err := golden.WriteFile(path, file); err != nil {
		if _, missing := os.Stat(path); missing == nil {
			return fmt.Errorf("%w; the checkpoint before it is whole: make room or rights, then resume", err)
		}
		return err
	}
	return nil
}

// encode is the file: magic, length of the header, header, numbers, SHA-256 of all before.
func (c *Checkpoint) encode() ([]byte, error) {
	h := header{string(c.Network.YAML()), *c}
	h.Tensors = nil
	var body bytes.Buffer
	for _, t := range c.Tensors {
		h.Tensors = append(h.Tensors, Tensor{Name: t.Name, Rows: t.Rows, Cols: t.Cols, Type: t.Type})
		if err := t.check(c.Arithmetic); err != nil {
			return nil, err
		}
		if c.Arithmetic == Fixed {
			_ = binary.Write(&body, binary.LittleEndian, t.Words)
		} else {
			_ = binary.Write(&body, binary.LittleEndian, t.Values)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("%w: checkpoint: %w", golden.ErrDamaged, err) // NaN in a range or figure
	}
	file := binary.LittleEndian.AppendUint64([]byte(checkpointMagic), uint64(len(text)))
	file = append(append(file, text...), body.Bytes()...)
	sum := sha256.Sum256(file)
	return append(file, sum[:]...), nil
}

// check tells of a tensor that is not whole, in the words of an error.
func (t *Tensor) check(arithmetic string) error {
	have := len(t.Values)
	if arithmetic == Fixed {
		have = len(t.Words)
	}
	if have != t.Rows*t.Cols {
		return fmt.Errorf("%w: %s: %d numbers for %d x %d", golden.ErrDamaged, t.Name, have, t.Rows, t.Cols)
	}
	if arithmetic == Fixed {
		return nil
	}
	if i := weights.NotFinite(t.Values); i >= 0 {
		return fmt.Errorf("%w: %s row %d column %d is %v", golden.ErrDamaged, t.Name, i/t.Cols, i%t.Cols, t.Values[i])
	}
	return nil
}

// IsRun tells whether a folder holds a checkpoint, whole or damaged.
func IsRun(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, CheckpointFile))
	return err == nil
}

// LoadCheckpoint reads and verifies the checkpoint of a folder. A file that is not what Save wrote is golden.ErrDamaged,
// one that is not there golden.ErrUsage.
func LoadCheckpoint(dir string) (*Checkpoint, error) {
	file, err := ReadCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	return DecodeCheckpoint(filepath.Join(dir, CheckpointFile), file)
}

// ReadCheckpoint reads the bytes of a folder's checkpoint, as far as they can be one: a file with another beginning, or
// longer than any, is refused unread. Errors are those of LoadCheckpoint.
func ReadCheckpoint(dir string) ([]byte, error) {
	path := filepath.Join(dir, CheckpointFile)
	f, _, err := golden.OpenFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && golden.Restore(dir):
		return ReadCheckpoint(dir)
	case errors.Is(err, os.ErrNotExist):
		return nil, noRun(dir)
	case err != nil:
		return nil, fmt.Errorf("%w: %w; name the folder of a run", golden.ErrUsage, err)
	}
	start := make([]byte, len(checkpointMagic))
	length, _ := io.ReadFull(f, start)
	f.Close()
	if string(start) != checkpointMagic {
		return nil, damagedCheckpoint(path, "not a whole checkpoint: it begins with %q", start[:length])
	}
	file, err := golden.ReadFile(path, maxCheckpoint)
	if err != nil {
		return nil, damagedCheckpoint(path, "%v", err)
	}
	return file, nil
}

func damagedCheckpoint(path, format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format+"; restore it from a copy or train again", append([]any{golden.ErrDamaged, path}, args...)...)
}

// DecodeCheckpoint reads the bytes of a CheckpointFile; all that it allocates is in proportion to the file. path stands for it
// in errors.
func DecodeCheckpoint(path string, file []byte) (*Checkpoint, error) {
	damaged := func(format string, args ...any) error { return damagedCheckpoint(path, format, args...) }
	start := len(checkpointMagic) + 8
	if len(file) < start+sha256.Size || string(file[:len(checkpointMagic)]) != checkpointMagic {
		return nil, damaged("not a whole checkpoint: %d bytes", len(file))
	}
	end := len(file) - sha256.Size
	if sum := sha256.Sum256(file[:end]); !bytes.Equal(sum[:], file[end:]) {
		return nil, damaged("checksum differs: truncated or changed")
	}
	length := binary.LittleEndian.Uint64(file[len(checkpointMagic):])
	if length > uint64(min(end-start, maxHeader)) {
		return nil, damaged("header of %d bytes in a file of %d", length, len(file))
	}
	var h header
	if err := json.Unmarshal(file[start:start+int(length)], &h); err != nil {
		return nil, damaged("%v", err)
	}
	n, err := network.Parse(path, []byte(h.NetworkFile))
	if err != nil {
		return nil, damaged("%v", err)
	}
	if h.Arithmetic != Float && h.Arithmetic != Float32 && h.Arithmetic != Fixed {
		return nil, damaged("arithmetic %q", h.Arithmetic)
	}
	if h.Limit < 0 || h.Epoch < 0 || h.Batch < 0 || h.Step < 0 {
		return nil, damaged("limit %d, epoch %d, mini-batch %d, step %d", h.Limit, h.Epoch, h.Batch, h.Step)
	}
	c := &h.Checkpoint
	c.Network = n
	body := bytes.NewReader(file[start+int(length) : end])
	d := n.Describe()
	want := 8 * d.Synapses()
	if len(c.Tensors) > len(d.Stored()) {
		want = 8 * d.SynapseWords()
	}
	if body.Len() != want { // so that a model of this network is as large as the file
		return nil, damaged("%d bytes of synapses; the network has %d", body.Len(), want)
	}
	for i := range c.Tensors {
		t := &c.Tensors[i]
		if t.Words != nil || t.Values != nil {
			return nil, damaged("%s: words in the header; they follow it", t.Name)
		}
		if t.Rows < 1 || t.Cols < 1 || t.Rows > body.Len()/8/t.Cols { // before a product could overflow
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
			return nil, damaged("%v", err)
		}
	}
	if body.Len() != 0 {
		return nil, damaged("%d bytes too many", body.Len())
	}
	return c, nil
}

// LockNewRun holds a folder for a new run. One that holds a run, or anything else but what processes that were killed have left,
// is refused untouched (golden.ErrUsage).
func LockNewRun(dir string) (*golden.Lock, error) {
	if err := checkNewRun(dir); err != nil {
		return nil, err
	}
	l, err := golden.LockFolder(dir)
	if err != nil {
		return nil, err
	}
	if err := checkNewRun(dir); err != nil { // of a process that was faster
		l.Unlock()
		return nil, err
	}
	return l, nil
}

// LockRun holds the folder of a run; one that is none is golden.ErrUsage.
func LockRun(dir string) (*golden.Lock, error) {
	golden.Restore(dir)
	if !IsRun(dir) {
		return nil, noRun(dir)
	}
	return golden.LockFolder(dir)
}

func noRun(dir string) error {
	return golden.Usagef("%s holds no checkpoint; `corinfo train` makes one", dir)
}

func checkNewRun(dir string) error {
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, golden.Passing)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("%w: run folder: %w; name another folder", golden.ErrUsage, err)
	case IsRun(dir):
		return golden.Usagef("%s holds a run already; continue it with `corinfo train --resume` or name another folder", dir)
	}
	return golden.Usagef("%s exists and is no run of corinfo; name another folder", dir)
}
