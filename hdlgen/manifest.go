package hdlgen

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"

	"corinfo/golden"
)

// manifestFile names the file that makes a folder a design of ours.
const manifestFile = "corinfo.json"

// Limits of what is read of a design, in bytes.
const (
	maxManifest = 1 << 24
	MaxFile     = 1 << 28 // Verilog, and the small memory images
)

// Manifest describes a generated design to the tools that read it.
type Manifest struct {
	Tool     string            `json:"tool"` // "corinfo"
	Version  string            `json:"version"`
	Revision string            `json:"revision,omitempty"` // of the program, golden.Revision: in no other file, so that texts depend on the version alone
	Name     string            `json:"name"`               // the top module
	Network  string            `json:"network"`
	Layers   []int             `json:"layers"`
	Lanes    int               `json:"lanes"`
	Contexts int               `json:"contexts"` // samples in flight
	Batch    int               `json:"batch"`
	Target   Target            `json:"target"` // what the pipelines are cut for
	Widths   Widths            `json:"widths"`
	Formats  map[string]string `json:"formats"`  // of every tensor and constant: how to read and write the ports' words
	Files    []string          `json:"files"`    // Verilog, in dependency order
	Images   []Image           `json:"images"`   // what the memories start from
	Matrices []MatrixPlace     `json:"matrices"` // where synapses live
	Counters []string          `json:"counters"` // host region 3, in order
	Latency  map[string]int    `json:"latency"`  // of the pipelines, in cycles
	Board    *BoardPart        `json:"board,omitempty"`
	// Checksums are the SHA-256 sums of all files of the design, by their path, but for this one and the checkpoint.
	Checksums map[string]string `json:"checksums"`
	// Sum is that of the manifest without it. Nothing else tells a target that the Verilog is not cut for, or other figures of a self-test.
	Sum string `json:"sum"`
}

// Widths are the bits of the top's ports.
type Widths struct {
	X       int `json:"x"`
	Context int `json:"context"`
	U       int `json:"u"`
	R       int `json:"r"`
	Q       int `json:"q,omitempty"`  // of interneurons
	QU      int `json:"qu,omitempty"` // likewise
	Label   int `json:"label"`
	Synapse int `json:"synapse"`
}

// Image is one memory image.
type Image struct {
	File  string `json:"file"`
	Words int    `json:"words"`
}

// MatrixPlace says where a matrix lives: synapse (row, column) in lane row mod lanes at address
// base + column x stride + row / lanes.
type MatrixPlace struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Cols   int    `json:"cols"`
	Base   int    `json:"base"`
	Stride int    `json:"stride"`
	Format string `json:"format"`
}

// Counters are the names of the host's counters, in the order of corinfo_counters.
var Counters = []string{
	"cycles", "settling_cycles", "waiting_cycles", "events", "product_cycles", "steps", "update_cycles", "update_product_cycles", "updates",
	"overflow_current", "overflow_lateral", "overflow_drive", "overflow_u", "overflow_r", "overflow_e", "overflow_d", "overflow_c",
	"overflow_dW", "overflow_W", "lost_W", "overflow_dF", "overflow_F", "lost_F", "overflow_dC", "overflow_C", "lost_C",
	"overflow_excess", "overflow_qu", "overflow_q",
}

// CounterIndex is the place of a counter; it panics on a name that is not in Counters.
func CounterIndex(name string) int {
	for i, c := range Counters {
		if c == name {
			return i
		}
	}
	panic("hdlgen: no counter " + name)
}

func checksum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// sum is what Sum must be.
func (m *Manifest) sum() string {
	own := *m
	own.Sum = ""
	text, err := json.Marshal(own)
	if err != nil {
		panic("hdlgen: " + err.Error()) // numbers and texts
	}
	return checksum(text)
}

// text is the manifest as its file has it.
func (m *Manifest) text() ([]byte, error) {
	m.Sum = m.sum()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(m)
	return text.Bytes(), err
}

// readManifest reads a design's manifest.
func readManifest(dir string) (*Manifest, error) {
	text, err := golden.ReadFile(filepath.Join(dir, manifestFile), maxManifest)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no design: %w; generate one with `corinfo generate`", golden.ErrUsage, dir, err)
	}
	m := &Manifest{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // a key that was mistyped would be passed over
	if err = decoder.Decode(m); err == nil && len(bytes.TrimSpace(text[decoder.InputOffset():])) > 0 {
		err = errors.New("more than one JSON object")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; generate the design again", golden.ErrDamaged, filepath.Join(dir, manifestFile), err)
	}
	return m, nil
}

// sameBesides tells whether two manifests differ in nothing but the program that wrote them and the checksums.
func (m *Manifest) sameBesides(other *Manifest) bool {
	a, b := *m, *other
	a.Checksums, b.Checksums, a.Sum, b.Sum = nil, nil, "", ""
	a.Version, a.Revision, b.Version, b.Revision = "", "", "", ""
	return reflect.DeepEqual(a, b)
}
