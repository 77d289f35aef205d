package hdlgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"text/template"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	harness "corinfo/testbench"
)

// vectorsFolder is a design's folder for stimulus and golden results.
const vectorsFolder = "vectors"

// Vectors are samples that a design's folder gets with the answers of the bit-true model, for any testbench to play.
type Vectors struct {
	Classify []Sample // at least one
	Learn    []Sample // behind them: whole mini-batches, or none
}

// vectorsTestbench is the testbench in Verilog, whose sizes are the design's.
var vectorsTestbench = template.Must(template.New("testbench.v.tmpl").Option("missingkey=error").ParseFS(harness.Files,
	"vectors/testbench.v.tmpl"))

// vectorsDescription is what the vectors' JSON file says.
type vectorsDescription struct {
	Design     string                 `json:"design"` // the top module
	Inputs     int                    `json:"inputs"` // words of a sample
	Outputs    int                    `json:"outputs"`
	Classified int                    `json:"classified"` // the first samples
	Learned    int                    `json:"learned"`    // the others
	Lanes      int                    `json:"lanes"`
	Depth      int                    `json:"depth"`      // words of a lane's synapse memory
	LaneShift  int                    `json:"lane_shift"` // of a lane in an address of the host
	Quiet      int                    `json:"quiet"`      // cycles without an answer after which a testbench may give up
	Files      map[string]vectorsFile `json:"files"`
	Samples    []vectorsSample        `json:"samples"`
}

// vectorsFile describes one file for $readmemh: a word a line.
type vectorsFile struct {
	File     string `json:"file"` // within the vectors' folder
	What     string `json:"what"`
	Words    int    `json:"words"`
	Width    int    `json:"width"`              // bits
	Format   string `json:"format,omitempty"`   // of words that stand for numbers; those of signed ones are two's complements
	Signed   bool   `json:"signed,omitempty"`   // likewise
	Fraction *int   `json:"fraction,omitempty"` // bits behind the binary point, likewise; negative: the last place is above 1
}

// vectorsSample is one sample's command and answer.
type vectorsSample struct {
	Learn    bool `json:"learn"`
	Negative bool `json:"negative"` // of a sample that is learned: the sign of beta
	Label    int  `json:"label"`    // the sample's own, whether it is learned or not
	Class    int  `json:"class"`    // the model's answer
}

// AddVectors adds the vectors' folder to a design's files, as the player has played them.
func AddVectors(files map[string][]byte, m *Manifest, v *Vectors, p *Player) (err error) {
	batch := p.Batch
	if len(v.Classify) == 0 || len(v.Learn)%batch != 0 {
		return fmt.Errorf("%w: vectors: %d samples to classify and %d to learn; want at least one, and whole mini-batches of %d",
			golden.ErrUsage, len(v.Classify), len(v.Learn), batch)
	}
	d := vectorsDescription{Design: m.Name, Inputs: p.Inputs, Outputs: p.Outputs, Classified: len(v.Classify), Learned: len(v.Learn),
		Lanes: m.Lanes, Depth: p.Depth, LaneShift: p.LaneShift, Quiet: p.Quiet, Files: map[string]vectorsFile{}}
	var commands, inputs, scores, classes MemoryImage
	play := func(list []Sample, learn bool) {
		for i := range list {
			x := &list[i]
			answer, class := p.Run(*x, learn)
			command := []Field{{0, p.Label}, {0, 1}, {0, 1}}
			if learn {
				command = []Field{{int64(x.Label), p.Label}, {0, 1}, {1, 1}}
				if x.Negative {
					command[1].Value = 1
				}
			}
			commands.Word(command...)
			for _, word := range x.X {
				inputs.Word(Field{word, p.X.Width})
			}
			for _, word := range answer {
				scores.Word(Field{word, p.ScoreWidth})
			}
			classes.Word(Field{int64(class), p.Label})
			d.Samples = append(d.Samples, vectorsSample{learn, learn && x.Negative, x.Label, class})
		}
	}
	play(v.Classify, false)
	play(v.Learn, true)
	add := func(name, what string, i *MemoryImage, number *fx.Type) {
		text := i.text.Bytes()
		file := vectorsFile{File: fmt.Sprintf("%s_%s.hex", m.Name, name), What: what, Words: bytes.Count(text, []byte("\n")), Width: i.width}
		if number != nil {
			file.Format, file.Signed, file.Fraction = number.String(), number.Signed, &number.Frac
		}
		d.Files[name] = file
		files[vectorsFolder+"/"+file.File] = text
	}
	add("commands", "a word per sample: the label that is learned in the lowest bits, above it negative (beta < 0), above that learn", &commands, nil)
	add("inputs", "the input words, sample by sample", &inputs, &p.X)
	add("scores", "the scores that must come out, sample by sample", &scores, &p.Score)
	add("classes", "the class that must come out, a word per sample", &classes, nil)
	if len(v.Learn) > 0 {
		var synapses MemoryImage
		for lane := range m.Lanes {
			for word := range p.Depth {
				synapses.Word(Field{p.Word(lane, word), p.Synapse})
			}
		}
		add("synapses", "the synapse memories at the end, lane by lane, as the host reads them; corinfo.json says where a synapse lives", &synapses, nil)
	}
	var text bytes.Buffer
	if err := vectorsTestbench.Execute(&text, map[string]any{
		"Name": m.Name, "Samples": len(d.Samples), "Classified": d.Classified, "Learned": d.Learned, "Inputs": d.Inputs, "Outputs": d.Outputs, "Quiet": d.Quiet,
		"Lanes": d.Lanes, "Depth": d.Depth, "LaneShift": p.LaneShift, "Marks": p.Marks, "Traces": p.Traces, "Label": p.Label, "LabelMSB": p.Label - 1, "CommandMSB": p.Label + 1, "XMSB": p.X.Width - 1, "RMSB": p.ScoreWidth - 1, "SynapseMSB": p.Synapse - 1,
	}); err != nil {
		return err
	}
	files[fmt.Sprintf("%s/%s_testbench.v", vectorsFolder, m.Name)] = text.Bytes()
	for _, name := range []string{"test_corinfo_vectors.py", "simulate"} {
		if files[vectorsFolder+"/"+name], err = harness.Files.ReadFile("vectors/" + name); err != nil {
			return err
		}
	}
	description, err := json.MarshalIndent(d, "", "  ")
	files[fmt.Sprintf("%s/%s_vectors.json", vectorsFolder, m.Name)] = append(description, '\n')
	return err
}
