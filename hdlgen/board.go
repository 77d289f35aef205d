package hdlgen

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"corinfo/constraints"
	"corinfo/golden"
	vl "corinfo/hdlgen/verilog"
)

// Board says on which board a design is to run, how fast, and what its self-test plays.
type Board struct {
	*constraints.Board
	MHz      float64  // wanted clock
	Classify []Sample // classified before and after the learning
	Learn    []Sample // learned in between: whole mini-batches
}

// Sample is one sample for a design: raw input words and, for learning, its label and the sign of beta.
type Sample struct {
	X        []int64
	Label    int
	Negative bool
}

// zerosWidth is the width of a count of zeros in the digits' image.
const zerosWidth = 8

// selfTest is a self-test as its memories hold it, and what it must find.
type selfTest struct {
	steps, digits *MemoryImage
	stepCount     int
	digitWords    int
	checksum      uint32
}

// AddBoard adds the board's folder to a design's files and manifest, with a self-test that the player has played.
func AddBoard(files map[string][]byte, m *Manifest, b *Board, p *Player) error {
	part, err := newBoardPart(m, b.Board, b.MHz)
	if err != nil {
		return fmt.Errorf("%w: %w", golden.ErrUsage, err)
	}
	t, err := newSelfTest(b, p)
	if err != nil {
		return err
	}
	part.Steps, part.Checksum = t.stepCount, fmt.Sprintf("%08x", t.checksum)
	m.Board = part
	files[part.Pins] = b.Pins()
	for _, source := range slices.Concat(fpgaSources(b.Board), modelSources(b.Board), boardSources) {
		text, err := constraints.Files.ReadFile(source)
		if err != nil {
			panic("hdlgen: " + err.Error()) // embedded; every design with a board reads it
		}
		files[inBoardFolder(source)] = text
	}
	var text bytes.Buffer
	if err := vl.Fprint(&text, boardModule(m, b, p, t)); err != nil {
		return err
	}
	files[part.Files[len(part.Files)-1]] = text.Bytes()
	files[part.list()] = fmt.Appendf(nil, "+define+BOARD=%s\n+define+CLOCK=%s\n+define+BUTTONS=%s\n+define+BUTTON_COUNT=%d\n+define+LEDS=%s\n%s\n",
		part.Top, b.Clock.Port, b.Buttons.Port, b.Buttons.Count, b.LEDs.Port, strings.Join(slices.Concat(m.Files, part.Files,
			part.Models), "\n"))
	for i, image := range []*MemoryImage{t.steps, t.digits} {
		file, content := &part.Images[i], image.text.Bytes()
		files[file.File] = content
		file.Words = bytes.Count(content, []byte("\n"))
	}
	return nil
}

// newSelfTest runs a self-test in the bit-true model and writes it down.
func newSelfTest(b *Board, p *Player) (*selfTest, error) {
	batch := p.Batch
	if len(b.Classify) == 0 || len(b.Learn)%batch != 0 {
		return nil, fmt.Errorf("%w: self-test: %d samples to classify and %d to learn; want at least one and whole mini-batches of %d",
			golden.ErrUsage, len(b.Classify), len(b.Learn), batch)
	}
	t := &selfTest{steps: &MemoryImage{}, digits: &MemoryImage{}}
	first := map[*int64]int{} // address of a digit by its words: a digit that comes twice is stored once
	type step struct {
		learn, negative     bool
		label, class, first int
	}
	var steps []step
	play := func(list []Sample, learn bool) {
		for i := range list {
			x := list[i].X
			at, ok := first[&x[0]]
			if !ok {
				at = t.digitWords
				first[&x[0]] = at
				t.digitWords += t.pack(x, p.X.Width)
			}
			scores, class := p.Run(list[i], learn)
			for _, score := range scores {
				t.add(score)
			}
			steps = append(steps, step{learn, list[i].Negative && learn, list[i].Label, class, at})
		}
	}
	play(b.Classify, false)
	play(b.Learn, true)
	play(b.Classify, false)
	if t.digitWords == 1 { // a memory has two words
		t.digits.Word(Field{0, zerosWidth + p.X.Width})
		t.digitWords++
	}
	t.stepCount = len(steps)
	address := AddressBits(t.digitWords)
	bit := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	for _, e := range steps {
		label := int64(0)
		if e.learn {
			label = int64(e.label)
		}
		t.steps.Word(Field{int64(e.first), address}, Field{int64(e.class), p.Label}, Field{label, p.Label},
			Field{bit(e.negative), 1}, Field{bit(e.learn), 1})
	}
	for lane := range p.Lanes {
		for at := range p.Depth {
			t.add(p.Word(lane, at))
		}
	}
	return t, nil
}

// pack writes a sample's words: a count of zeros and the word behind them, which may be zero. It returns how many
// words that took.
func (t *selfTest) pack(x []int64, width int) (words int) {
	zeros := int64(0)
	for i, word := range x {
		if word == 0 && zeros < 1<<zerosWidth-1 && i < len(x)-1 {
			zeros++
			continue
		}
		t.digits.Word(Field{word, width}, Field{zeros, zerosWidth})
		zeros = 0
		words++
	}
	return words
}

// add takes a word into the checksum, as corinfo_selftest does.
func (t *selfTest) add(word int64) {
	t.checksum = bits.RotateLeft32(t.checksum, 5) + (uint32(uint64(word)>>32) ^ uint32(word))
}

// boardModule is the whole FPGA: clock, design and self-test.
func boardModule(m *Manifest, b *Board, p *Player, t *selfTest) *vl.Module {
	part := m.Board
	top := &vl.Module{Name: part.Top, Header: []string{
		fmt.Sprintf("%s: the self-test of %s on the board %s, at %s.", part.Top, m.Name, b.Title, constraints.MHz(part.MHz)), "",
		fmt.Sprintf("Generated by corinfo %s: generate the design again rather than change this file.", golden.Version), "",
		fmt.Sprintf("%d digits are classified, %d learned, and those of before classified again; every answer and in the end every synapse must be "+
			"that of the bit-true model. The LEDs and the buttons are as corinfo_selftest says.", len(b.Classify), len(b.Learn))}}
	top.Ports = []vl.Port{
		{Dir: vl.In, Width: 1, Name: b.Clock.Port, Comment: constraints.MHz(b.Clock.MHz)},
		{Dir: vl.In, Width: b.Buttons.Count, Name: b.Buttons.Port},
		{Dir: vl.Out, Width: b.LEDs.Count, Name: b.LEDs.Port},
	}
	number := func(name string, value int) vl.Bind { return vl.Bind{Name: name, Value: vl.Int(value)} }
	top.Items = append(top.Items,
		vl.Comment{Text: "Clock and reset."},
		vl.Wire("clk", 1), vl.Wire("rst", 1),
		vl.Instance{Module: clockModule(b.Board), Name: "u_clock",
			Params: []vl.Bind{number("InputDivider", part.PLL.Input), number("FeedbackDivider", part.PLL.Feedback),
				number("OutputDivider", part.PLL.Output)},
			Ports: []vl.Bind{{Name: "oscillator_i", Value: vl.Id(b.Clock.Port)}, {Name: "clk_o", Value: vl.Id("clk")},
				{Name: "rst_o", Value: vl.Id("rst")}}},
		vl.Comment{Text: "What the self-test and the design say to each other."})

	clocked := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk")}, {Name: "rst_i", Value: vl.Id("rst")}}
	design := append([]vl.Bind{}, clocked...)
	test := append(append([]vl.Bind{}, clocked...),
		vl.Bind{Name: "hold_i", Value: vl.Bit{X: vl.Id(b.Buttons.Port), Index: b.Buttons.Hold}}, vl.Bind{Name: "led_o",
			Value: vl.Id(b.LEDs.Port)})
	for _, net := range []struct {
		name   string
		width  int
		drives bool // the self-test does
	}{
		{"command_valid", 1, true}, {"command_ready", 1, false}, {"command_learn", 1, true}, {"command_negative", 1,
			true}, {"command_label", p.Label, true},
		{"sample_valid", 1, true}, {"sample_ready", 1, false}, {"sample_data", p.X.Width, true},
		{"score_valid", 1, false}, {"score_data", p.ScoreWidth, false},
		{"result_valid", 1, false}, {"result_ready", 1, true}, {"result_class", p.Label, false},
		{"host_valid", 1, true}, {"host_ready", 1, false}, {"host_address", 32, true},
		{"host_done", 1, false}, {"host_error", 1, false}, {"host_data", 64, false}, {"idle", 1, false},
		{"sample_last", 1, true},
	} {
		top.Items = append(top.Items, vl.Wire(net.name, net.width))
		own, other := "_i", "_o" // at the self-test, at the design
		if net.drives {
			own, other = other, own
		}
		test = append(test, vl.Bind{Name: net.name + own, Value: vl.Id(net.name)})
		if net.name != "sample_last" || p.Marks {
			design = append(design, vl.Bind{Name: net.name + other, Value: vl.Id(net.name)})
		}
	}
	top.Items = append(top.Items, vl.Comment{Text: "What the self-test does not look at."})
	var unused vl.Concat
	ports := append([]Port{{"score_index_o", p.Label}}, p.Traces...)
	if p.Marks {
		ports = append(ports, Port{"result_error_o", 1})
	} else {
		unused = append(unused, vl.Id("sample_last"))
	}
	for _, port := range ports {
		net := strings.TrimSuffix(port.Name, "_o")
		top.Items = append(top.Items, vl.Wire(net, port.Width))
		design = append(design, vl.Bind{Name: port.Name, Value: vl.Id(net)})
		unused = append(unused, vl.Id(net))
	}
	unused = append(unused, vl.Id(b.Buttons.Port))
	top.Items = append(top.Items, vl.Wire("unused_bits", 1), vl.Assign{Left: vl.Id("unused_bits"), Right: vl.Unary{Op: "^", X: unused}})
	design = append(design, vl.Bind{Name: "host_write_i", Value: vl.Lit{Width: 1, Hex: "0"}},
		vl.Bind{Name: "host_data_i", Value: vl.Lit{Width: 64, Hex: "0"}})
	top.Items = append(top.Items,
		vl.Instance{Module: "corinfo_selftest", Name: "u_selftest", Params: []vl.Bind{
			number("Lanes", m.Lanes), number("LaneShift", p.LaneShift), number("SynapseDepth", p.Depth), number("Inputs", m.Layers[0]),
			number("XWidth", p.X.Width), number("LabelW", p.Label), number("ScoreWidth", p.ScoreWidth),
			number("Steps", t.stepCount), number("StepW", AddressBits(t.stepCount)), number("ZerosW", zerosWidth),
			number("DigitWords", t.digitWords), number("DigitW", AddressBits(t.digitWords)),
			{Name: "StepsFile", Value: vl.Str(boardImage(m.Name, stepsImage))}, {Name: "DigitsFile",
				Value: vl.Str(boardImage(m.Name, digitsImage))},
			{Name: "Checksum", Value: vl.Lit{Width: 32, Hex: fmt.Sprintf("%x", t.checksum)}},
		}, Ports: test},
		vl.Instance{Module: m.Name, Name: "u_design", Ports: design})
	return top
}
