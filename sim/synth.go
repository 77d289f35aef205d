package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/hdlgen"
)

// SynthOptions of a synthesis.
type SynthOptions struct {
	Seed     int               // of the placement; the same seed gives the same bitstream
	Progress func(line string) // nil: none
}

// SynthReport is what synthesis, place and route found.
type SynthReport struct {
	Board string `json:"board"`
	Top   string `json:"top"`
	Seed  int    `json:"seed"`
	Figures
	Absorbed    int         `json:"absorbed_ff"`  // flip-flops that are registers in block memories and multipliers
	PlannedDSP  int         `json:"planned_dsp"`  // multipliers whose places the floorplan gave
	PlannedBRAM int         `json:"planned_bram"` // and block memories
	Bitstream   string      `json:"bitstream"`    // path of the file
	Logs        []string    `json:"logs"`
	Steps       []SynthStep `json:"steps"`
}

// SynthStep is one tool's run.
type SynthStep struct {
	Name    string  `json:"name"`
	Tool    string  `json:"tool"` // its version
	Seconds float64 `json:"seconds"`
	Kept    bool    `json:"kept"` // nothing that it reads has changed: what it had made was kept
}

// synthFolder is where synthesis works, in a design's folder.
const synthFolder = "board/build"

// maxProduct is the largest file of a tool that is read, in bytes: netlists of big designs are hundreds of megabytes.
const maxProduct = 1 << 31

// nextpnrDevices are nextpnr-ecp5's options for the boards' devices.
var nextpnrDevices = map[string]string{"LFE5U-12F": "--12k", "LFE5U-25F": "--25k", "LFE5U-45F": "--45k", "LFE5U-85F": "--85k"}

// step is one tool's run: what it reads, what it makes, its arguments.
type step struct {
	name, tool string
	reads      []string // files in the design's folder
	makes      []string
	args       []string
}

// Synth makes the bitstream of the design in a folder on its board: Yosys, nextpnr, ecppack, in the folder board/build, with a log of each. A
// step whose inputs, arguments and tool are those of the last run is not repeated. Timing that is not met is in the
// report, not in the error. A design without a board and a tool that is missing are ErrUsage. When ctx ends, the tool ends, and
// the next run begins with its step.
func Synth(ctx context.Context, folder string, m *hdlgen.Manifest, o SynthOptions) (*SynthReport, error) {
	part := m.Board
	if part == nil {
		return nil, fmt.Errorf("%w: %s is a design for no board; generate it with --board", golden.ErrUsage, folder)
	}
	board, err := constraints.Get(part.Name)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; generate the design again", golden.ErrDamaged, folder, err)
	}
	for _, tool := range []string{"yosys", "nextpnr-ecp5", "ecppack"} { // all of them before the first one runs for long
		if _, err := Find(tool); err != nil {
			return nil, err
		}
	}
	root, err := openRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, own := range []string{filepath.Dir(synthFolder), synthFolder} {
		if err := checkFolder(root, own); err != nil {
			return nil, err
		}
	}
	if err := root.MkdirAll(synthFolder, 0o777); err != nil {
		return nil, err
	}
	dir := root.Name()
	file := func(suffix string) string { return synthFolder + "/" + part.Top + suffix }
	r := &SynthReport{Board: board.Name, Top: part.Top, Seed: o.Seed, Bitstream: filepath.Join(folder, file(".bit"))}
	run := func(s step) error {
		done, err := s.run(ctx, root, o.Progress)
		if err != nil {
			return err
		}
		r.Steps = append(r.Steps, done)
		r.Logs = append(r.Logs, filepath.Join(folder, s.log()))
		return nil
	}
	n, absorbed, err := synthesize(dir, m, run)
	if err != nil {
		return nil, err
	}
	r.Absorbed = absorbed
	places := floorplan(n, board.Device)
	r.PlannedDSP, r.PlannedBRAM = places["MULT18X18D"], places["DP16KD"]
	say(o.Progress, fmt.Sprintf("netlist: %d registers in memories and multipliers, places of %d multipliers and %d block memories", r.Absorbed, r.PlannedDSP, r.PlannedBRAM))
	netlist := file(".planned.json")
	if err := n.write(filepath.Join(dir, netlist)); err != nil {
		return nil, err
	}
	placer, err := bestPlacer(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := run(placeStep(board, part.Pins, netlist, placer, o.Seed, file)); err != nil {
		return nil, err
	}
	if err := run(bitstreamStep(file)); err != nil {
		return nil, err
	}
	text, err := read(root, file(".report.json"), maxProduct)
	if err != nil {
		return nil, err
	}
	if r.Figures, err = parseReport(text, part.MHz); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder, file(".report.json")), err)
	}
	return r, nil
}

// synthesize runs the first step in a design's folder: the board's netlist, with so many registers in memories and multipliers.
func synthesize(dir string, m *hdlgen.Manifest, run func(s step) error) (n *netlist, absorbed int, err error) {
	file := func(suffix string) string { return synthFolder + "/" + m.Board.Top + suffix }
	script, err := m.BoardScript(file(".json"))
	if err == nil {
		err = golden.WriteFile(filepath.Join(dir, file(".ys")), script)
	}
	if err == nil {
		err = run(synthesisStep(m, file))
	}
	if err == nil {
		n, err = readNetlist(filepath.Join(dir, file(".json")), m.Board.Top)
	}
	if err != nil {
		return nil, 0, err
	}
	return n, absorb(n), nil
}

// synthesisStep makes the netlist, by the script that synthesize has written.
func synthesisStep(m *hdlgen.Manifest, file func(suffix string) string) step {
	reads := slices.Concat([]string{file(".ys")}, m.Files, m.Board.Files)
	for _, i := range slices.Concat(m.Images, m.Board.Images) {
		reads = append(reads, i.File)
	}
	return step{name: "synthesis", tool: "yosys", reads: reads, makes: []string{file(".json")}, args: []string{"-s", file(".ys")}}
}

func placeStep(board *constraints.Board, pins, netlist string, placer []string, seed int, file func(suffix string) string) step {
	args := []string{nextpnrDevices[board.Device], "--package", board.Package, "--speed", fmt.Sprint(board.Speed), "--json",
		netlist, "--lpf", pins,
		"--seed", fmt.Sprint(seed), "--textcfg", file(".config"), "--report", file(".report.json"), "--detailed-timing-report", "--timing-allow-fail"}
	return step{name: "place and route", tool: "nextpnr-ecp5", reads: []string{netlist, pins},
		makes: []string{file(".config"), file(".report.json")},
		args:  append(args, placer...)}
}

func bitstreamStep(file func(suffix string) string) step {
	return step{name: "bitstream", tool: "ecppack", reads: []string{file(".config")}, makes: []string{file(".bit")},
		args: []string{"--compress", "--input", file(".config"), "--bit", file(".bit")}}
}

// offersStatic finds the electrostatic placer in nextpnr's help.
var offersStatic = regexp.MustCompile(`available:[^;]*\bstatic\b`)

// bestPlacer are the options for nextpnr's electrostatic placer, which the last versions have: it takes half as long as the
// default one, and its wires are two thirds as long.
func bestPlacer(ctx context.Context, dir string) ([]string, error) {
	help, err := output(ctx, dir, "nextpnr-ecp5", "--help")
	if err != nil {
		return nil, err
	}
	if offersStatic.MatchString(help) {
		return []string{"--placer", "static"}, nil
	}
	return nil, nil
}

func (s *step) log() string  { return synthFolder + "/" + s.tool + ".log" }
func (s *step) mark() string { return synthFolder + "/" + s.tool + ".done" }

// run runs the step's tool, or keeps what it made when nothing has changed.
func (s *step) run(ctx context.Context, root *os.Root, progress func(string)) (SynthStep, error) {
	done := SynthStep{Name: s.name, Tool: version(ctx, s.tool)}
	if err := ctx.Err(); err != nil {
		return done, err
	}
	key, err := s.key(root, done.Tool)
	if err != nil {
		return done, err
	}
	if before, err := read(root, s.mark(), 1<<10); err == nil && string(before) == key && s.made(root) {
		done.Kept = true
		say(progress, s.name+": nothing has changed")
		return done, nil
	}
	// What a run that ends here leaves is not whole; and a tool would write where a link leads.
	for _, file := range append([]string{s.mark(), s.log()}, s.makes...) {
		if err := root.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return done, err
		}
	}
	start := time.Now()
	if err := s.call(ctx, root, progress); err != nil {
		return done, err
	}
	done.Seconds = time.Since(start).Seconds()
	if !s.made(root) {
		return done, fmt.Errorf("%s did not make %s; its log is %s", s.tool, strings.Join(s.makes, " and "),
			filepath.Join(root.Name(), s.log()))
	}
	return done, golden.WriteFile(filepath.Join(root.Name(), s.mark()), []byte(key))
}

// key is the checksum of all that a step's products depend on.
func (s *step) key(root *os.Root, tool string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q\n", tool, s.args)
	for _, file := range s.reads {
		text, err := read(root, file, maxProduct)
		if err != nil {
			return "", fmt.Errorf("%w: %w; generate the design again", golden.ErrDamaged, err)
		}
		fmt.Fprintln(sum, file, len(text))
		sum.Write(text)
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil)), nil
}

// made tells whether everything that the step makes is there.
func (s *step) made(root *os.Root) bool {
	for _, file := range s.makes {
		if info, err := root.Lstat(file); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			return false
		}
	}
	return true
}

// call runs the tool; its output goes to the log and, now and then a line of it, to progress.
func (s *step) call(ctx context.Context, root *os.Root, progress func(string)) error {
	path, err := Find(s.tool)
	if err != nil {
		return err
	}
	log, err := root.Create(s.log())
	if err != nil {
		return err
	}
	say(progress, fmt.Sprintf("%s: %s", s.name, filepath.Base(path)))
	cmd := Program(ctx, root.Name(), path, s.args...)
	w := &lines{to: log, say: func(line string) { say(progress, s.name+": "+line) }, last: time.Now()}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Run()
	if e := log.Close(); err == nil {
		err = e
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s: %w: %s; its log is %s", s.tool, err, w.reason(), filepath.Join(root.Name(), s.log()))
	}
	return nil
}

func say(progress func(string), line string) {
	if progress != nil {
		progress(line)
	}
}

// sayEvery is the time between two lines of a tool that are passed on.
const sayEvery = 5 * time.Second

// milestone matches the lines that tell how far a tool is.
var milestone = regexp.MustCompile(`^([0-9.]+ Executing |Info: )`)

// lines passes a tool's output on to its log, a line now and then to say, and keeps the lines that tell of errors.
type lines struct {
	to     io.Writer
	say    func(line string)
	last   time.Time // when a line was said
	part   []byte    // of a line that has not ended
	errors []string
	latest string
}

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, ok := strings.Cut(string(l.part), "\n")
		if !ok {
			break
		}
		l.part = []byte(rest)
		l.line(strings.TrimSpace(line))
	}
	return l.to.Write(p)
}

func (l *lines) line(line string) {
	if line == "" {
		return
	}
	if strings.Contains(line, "ERROR:") && len(l.errors) < 5 {
		l.errors = append(l.errors, line)
	}
	l.latest = line
	if !milestone.MatchString(line) {
		return
	}
	if time.Since(l.last) >= sayEvery {
		l.last = time.Now()
		l.say(line[:min(len(line), 100)])
	}
}

// reason is what the tool says of its failure.
func (l *lines) reason() string {
	if l.errors != nil {
		return strings.Join(l.errors, "; ")
	}
	return l.latest
}
