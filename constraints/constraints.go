// Package constraints holds what is known of boards: a folder per board with its description and its pins, the
// Verilog that a family of devices needs around a design, and the self-test that runs on every board; and of families of
// devices, what a design for them is cut for and how Yosys maps it. What of it a
// design gets, package hdlgen decides; running tools on it is left to package sim.
package constraints

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Files are the boards' folders, and the families' and the self-test's Verilog.
//
//go:embed ecp5 selftest ulx3s-85f
var Files embed.FS

// Errors of a name that no board, and no family of devices, has.
var (
	ErrUnknown       = errors.New("unknown board")
	ErrUnknownFamily = errors.New("unknown family")
)

// Board describes a board: what its board.yaml says.
type Board struct {
	Name      string    `yaml:"name" json:"name"`
	Title     string    `yaml:"title" json:"title"`
	Family    string    `yaml:"family" json:"family"` // ecp5
	Device    string    `yaml:"device" json:"device"`
	Package   string    `yaml:"package" json:"package"`
	Speed     int       `yaml:"speed" json:"speed"` // grade
	Clock     Clock     `yaml:"clock" json:"clock"`
	LEDs      Pins      `yaml:"leds" json:"leds"`
	Buttons   Buttons   `yaml:"buttons" json:"buttons"`
	Target    Target    `yaml:"-" json:"-"` // its family's
	Resources Resources `yaml:"resources" json:"resources"`
	Program   string    `yaml:"program" json:"program"` // command that loads a bitstream, without its file
}

// Clock is a board's oscillator.
type Clock struct {
	Port string  `yaml:"port" json:"port"` // as the pin file names it
	MHz  float64 `yaml:"mhz" json:"mhz"`
}

// Pins are a bus of pins.
type Pins struct {
	Port  string `yaml:"port" json:"port"`
	Count int    `yaml:"count" json:"count"`
}

// Buttons are a board's buttons.
type Buttons struct {
	Pins `yaml:",inline"`
	Hold int `yaml:"hold" json:"hold"` // the one that holds the display; it reads 1 when pressed
}

// Resources are what a device has.
type Resources struct {
	LUT  int `yaml:"lut" json:"lut"`   // with four inputs
	FF   int `yaml:"ff" json:"ff"`     // flip-flops
	DSP  int `yaml:"dsp" json:"dsp"`   // multipliers of 18 x 18 bits
	BRAM int `yaml:"bram" json:"bram"` // block memories of 18 Kbit
}

// pinFile and boardFile are in every board's folder.
const (
	boardFile = "board.yaml"
	pinFile   = "pins.lpf"
)

// Names lists the boards, sorted.
func Names() []string {
	files, err := fs.Glob(Files, "*/"+boardFile)
	if err != nil {
		panic("constraints: " + err.Error()) // the pattern is ours
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(file, "/"+boardFile)
	}
	slices.Sort(files)
	return files
}

// Get is the board of a name; ErrUnknown lists those that there are.
func Get(name string) (*Board, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("%w %q; there is %s", ErrUnknown, name, strings.Join(Names(), ", "))
	}
	text, err := Files.ReadFile(name + "/" + boardFile)
	if err != nil {
		return nil, err
	}
	b := &Board{}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(b); err != nil {
		return nil, fmt.Errorf("board %s: %w", name, err)
	}
	family, err := GetFamily(b.Family)
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", name, err)
	}
	b.Target = family.Target
	return b, nil
}

// Pins is the board's pin file: sites, buffers and the oscillator's frequency, for the ports that the board's
// description names.
func (b *Board) Pins() []byte {
	text, err := Files.ReadFile(b.Name + "/" + pinFile)
	if err != nil {
		panic("constraints: " + err.Error()) // embedded; a test reads all of them
	}
	return text
}
