package hdlgen

import (
	"fmt"
	"path"
	"regexp"

	"corinfo/constraints"
)

// BoardPart is what the manifest tells of a design's board. All but the self-test's figures follows from the board's name and the
// frequency: a manifest that says otherwise is refused, for tools are run with what stands here.
type BoardPart struct {
	Name     string          `json:"name"`
	Top      string          `json:"top"`    // module of the whole FPGA
	MHz      float64         `json:"mhz"`    // of the design's clock
	PLL      constraints.PLL `json:"pll"`    // that makes it
	Pins     string          `json:"pins"`   // constraint file
	Files    []string        `json:"files"`  // Verilog besides the design's, in dependency order
	Models   []string        `json:"models"` // Verilog of the device's cells, for simulation only
	Images   []Image         `json:"images"`
	Steps    int             `json:"steps"`    // commands of the self-test
	Checksum string          `json:"checksum"` // of its scores and synapses, hexadecimal
}

// Files of a design's board folder.
const (
	boardFolder = "board"
	buildFolder = boardFolder + "/build" // what synthesis leaves
	stepsImage  = "steps.hex"
	digitsImage = "digits.hex"
)

// boardSources are what a board's folder gets as it is, whatever the board.
var boardSources = []string{"selftest/simulate", "selftest/corinfo_board_testbench.v", "selftest/corinfo_board_testbench.cpp"}

// list is the file list of the whole FPGA, for simulation.
func (p *BoardPart) list() string { return boardFolder + "/" + p.Top + ".f" }

// boardImage is the path of a self-test's image within the folder of the design of that name.
func boardImage(design, image string) string { return boardFolder + "/" + ImagePath(design, image) }

// clockModule is the module of a board's family that makes clock and reset.
func clockModule(b *constraints.Board) string { return "corinfo_" + b.Family + "_clock" }

// fpgaSources are the Verilog of package constraints that is part of the whole FPGA, in dependency order.
func fpgaSources(b *constraints.Board) []string {
	return []string{"selftest/corinfo_selftest.v", b.Family + "/" + clockModule(b) + ".v"}
}

// modelSources are the models of the device's cells.
func modelSources(b *constraints.Board) []string { return []string{b.Family + "/EHXPLLL.v"} }

// inBoardFolder is where a file of package constraints stands in a design.
func inBoardFolder(source string) string { return boardFolder + "/" + path.Base(source) }

// newBoardPart is the board's part of a manifest without the self-test's figures. mhz is the wanted frequency of the clock.
func newBoardPart(m *Manifest, b *constraints.Board, mhz float64) (*BoardPart, error) {
	pll, err := b.PLL(mhz)
	if err != nil {
		return nil, err
	}
	p := &BoardPart{Name: b.Name, Top: m.Name + "_board", MHz: pll.MHz, PLL: pll, Pins: boardFolder + "/pins.lpf",
		Images: []Image{{File: boardImage(m.Name, stepsImage)}, {File: boardImage(m.Name, digitsImage)}}}
	for _, source := range fpgaSources(b) {
		p.Files = append(p.Files, inBoardFolder(source))
	}
	p.Files = append(p.Files, boardFolder+"/"+p.Top+".v")
	for _, source := range modelSources(b) {
		p.Models = append(p.Models, inBoardFolder(source))
	}
	return p, nil
}

// selfTestChecksum is how a self-test's checksum is written.
var selfTestChecksum = regexp.MustCompile(`^[0-9a-f]{8}$`)

// Rebuilt is the board's part that a design of m has by the board's name, the frequency and the self-test's figures that a part
// read from a file tells.
func (p *BoardPart) Rebuilt(m *Manifest) (*BoardPart, error) {
	board, err := constraints.Get(p.Name)
	if err != nil {
		return nil, err
	}
	own, err := newBoardPart(m, board, p.MHz)
	switch {
	case err != nil:
		return nil, err
	case p.Steps < 1 || !selfTestChecksum.MatchString(p.Checksum) || len(p.Images) != len(own.Images):
		return nil, fmt.Errorf("board: %d steps, checksum %q, %d images describe no self-test", p.Steps, p.Checksum, len(p.Images))
	}
	own.Steps, own.Checksum = p.Steps, p.Checksum
	for i := range own.Images {
		own.Images[i].Words = p.Images[i].Words
	}
	return own, nil
}
