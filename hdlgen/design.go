// Package hdlgen turns a network and its formats into a hardware design: it lays neurons and synapses
// out on lanes, prints the arithmetic's graphs as pipelines and joins them to the hand-written modules of
// package rtl. It leaves running tools on the result to package sim.
package hdlgen

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen/settling"
	vl "corinfo/hdlgen/verilog"
	"corinfo/rtl"
)

// Design is a generated hardware project in a folder.
type Design struct {
	Dir        string
	Manifest   *Manifest
	Network    *network.Network
	Arithmetic *settling.Arithmetic
	Layout     *Layout
	Initial    *training.Checkpoint // the synapses that the memories start from
}

// Files within a design's folder.
const (
	networkFile   = "network.yaml"
	rtlFolder     = "rtl"     // what is printed
	libraryFolder = "library" // package rtl
	simFolder     = "sim"     // what co-simulation leaves
)

// toolName marks our manifests.
const toolName = "corinfo"

// CheckName refuses a network's name that its modules cannot have: a reserved word of Verilog or VHDL, what a tool calls its own, or a
// name that the library uses, which a module of that name would hide or meet.
func CheckName(name string) error {
	if err := vl.CheckTopName(name); err != nil {
		return fmt.Errorf("%w: name: %w; choose another", golden.ErrUsage, err)
	}
	if strings.HasPrefix(strings.ToLower(name), "corinfo") {
		return fmt.Errorf("%w: name: %q: names that begin with corinfo are those of the Verilog library and its testbenches; choose another", golden.ErrUsage, name)
	}
	if file, ok := libraryNames()[name]; ok {
		return fmt.Errorf("%w: name: %q is a name in the Verilog library (%s); choose another", golden.ErrUsage, name, file)
	}
	return nil
}

// libraryNames are the names in the library's Verilog, comments apart, with a file that has each.
var libraryNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for _, file := range rtl.Order {
		text := comment.ReplaceAll(rtl.Text(file), nil)
		for _, name := range word.FindAll(text, -1) {
			if _, known := names[string(name)]; !known {
				names[string(name)] = file
			}
		}
	}
	return names
})

var (
	comment = regexp.MustCompile(`//.*`)
	word    = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_$]*`)
)

// layOut places a network on lanes and checks that a design may have its name and sizes.
func layOut(a *settling.Arithmetic, lanes int) (*Layout, *shape, error) {
	if lanes < 1 {
		return nil, nil, fmt.Errorf("%w: hardware: lanes: %d; at least 1", golden.ErrUsage, lanes)
	}
	if err := CheckName(a.Network.Name); err != nil {
		return nil, nil, err
	}
	l := NewLayout(a, lanes)
	s, err := newShape(a, l)
	return l, s, err
}

// Check tells what Build would refuse of a network on lanes, from its sizes and formats alone: sooner than its synapses
// are made.
func Check(a *settling.Arithmetic, lanes int) error {
	_, _, err := layOut(a, lanes)
	return err
}

// Build makes every file of a design for a target, by its path. synapse gives the initial words.
func Build(a *settling.Arithmetic, lanes int, target Target, synapse func(matrix, row, column int) int64) (files map[string][]byte, m *Manifest, err error) {
	n := a.Network
	l, s, err := layOut(a, lanes)
	if err == nil {
		err = checkTarget(target)
	}
	if err != nil {
		return nil, nil, err
	}
	provenance := Provenance(n)
	p, err := printGraphs(n.Name, a, target, provenance)
	if err != nil {
		return nil, nil, err
	}
	files = map[string][]byte{}
	m = NewManifest(n, lanes, target)
	m.Widths, m.Counters, m.Latency = Widths{X: s.X, Context: s.Context, U: s.U, R: s.R, Label: s.Label, Synapse: s.Word, Q: s.Q, QU: s.QU}, Counters, p.latencies()
	var modules []*vl.Module
	for _, list := range [][]unit{p.soma, p.record, p.update, p.synapse} {
		for _, u := range list {
			modules = append(modules, u.module)
		}
	}
	if p.interneurons != nil {
		for _, u := range p.interneurons.units {
			modules = append(modules, u.module)
		}
		modules = append(modules, interneuronModule(n.Name, a, lanes, s, p.interneurons, provenance))
	}
	modules = append(modules, laneModule(n.Name, a, l, s, p, provenance), topModule(n.Name, a, l, s, p, provenance))
	m.Files = addLibrary(files, modules)
	for _, module := range modules {
		var text bytes.Buffer
		if err := vl.Fprint(&text, module); err != nil {
			return nil, nil, err
		}
		file := rtlFolder + "/" + module.Name + ".v"
		files[file] = text.Bytes()
		m.Files = append(m.Files, file)
	}
	for name, t := range a.Formats.Types() {
		m.Formats[name] = t.String()
	}
	addImage := func(name string, i *image) { m.AddImage(files, imagePath(n.Name, name), i.text.Bytes()) }
	addImage(programImage, programWords(a, s))
	addImage(constantsImage, constantWords(a))
	addImage(ratesImage, rateWords(a, s))
	for lane := range lanes {
		addImage(laneImage(lane), laneWords(l, s, lane, synapse))
	}
	for i, x := range a.Matrices {
		m.Matrices = append(m.Matrices, MatrixPlace{Name: x.Name(), Rows: x.Rows, Cols: x.Cols,
			Base: l.ColumnBase[x.Pre] + l.MatrixOffset[i], Stride: l.Stride[x.Pre], Format: x.Type.String()})
	}
	return files, m, AddProject(files, m, n)
}

// AddProject adds what every design has beside its Verilog and its memories, all of which are there: lists of files for tools, the network, and
// the manifest with the checksums of all.
func AddProject(files map[string][]byte, m *Manifest, n *network.Network) error {
	family, err := constraints.GetFamily(m.Target.Family)
	if err != nil {
		return err
	}
	files[n.Name+".f"] = []byte(strings.Join(m.Files, "\n") + "\n")
	files[n.Name+".core"] = designCore(m, files)
	files[scriptFile(n.Name)] = outOfContext(m, family)
	files[networkFile] = n.YAML()
	return AddManifest(files, m)
}

// AddManifest adds the manifest to a design's files, all others of which are there: it has their checksums.
func AddManifest(files map[string][]byte, m *Manifest) (err error) {
	m.Checksums = map[string]string{}
	for name, text := range files {
		if name != manifestFile {
			m.Checksums[name] = checksum(text)
		}
	}
	files[manifestFile], err = m.text()
	return err
}

// addLibrary adds the whole library, a core of its own, to a design's files, and lists those of its files that the
// design's modules need, in dependency order. The library is the same in every design, so that one copy serves many.
func addLibrary(files map[string][]byte, modules []*vl.Module) []string {
	var instances []string
	for _, module := range modules {
		instances = append(instances, module.Instances()...)
	}
	return AddLibrary(files, instances)
}

// AddLibrary is addLibrary for the modules named and all that they instantiate.
func AddLibrary(files map[string][]byte, instances []string) (needed []string) {
	maps.Copy(files, libraryFiles())
	files[libraryFolder+"/"+libraryCoreFile] = libraryCore()
	for _, name := range rtl.Needed(instances) {
		needed = append(needed, libraryFolder+"/"+name)
	}
	return needed
}

// Generate writes a design for a target into dir, whole or not at all, its memories starting from the machine's
// synapses. A design that is there is replaced, but what is not part of it stays where it is. A folder that is no design, a file
// of the design that was changed by hand, and a foreign file in the place of a new one are refused (ErrUsage).
func Generate(a *settling.Arithmetic, machine *settling.Machine, lanes int, target Target, dir string) (*Manifest, error) {
	return GenerateFor(nil, nil, a, machine, lanes, target, dir, RefuseEdited)
}

// GenerateFor is Generate with a folder for a board, if it is not nil: pins, clock and self-test; and one of vectors, if they
// are not nil. edited says what happens to files of a design that were changed by hand.
func GenerateFor(b *Board, v *Vectors, a *settling.Arithmetic, machine *settling.Machine, lanes int, target Target, dir string, edited Edited) (*Manifest, error) {
	files, m, err := Build(a, lanes, target, machine.Synapse)
	if err != nil {
		return nil, err
	}
	if b != nil {
		p, err := player(a, m, machine)
		if err == nil {
			err = AddBoard(files, m, b, p)
		}
		if err != nil {
			return nil, err
		}
	}
	if v != nil {
		p, err := player(a, m, machine)
		if err == nil {
			err = AddVectors(files, m, v, p)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := AddManifest(files, m); err != nil {
		return nil, err
	}
	c := &training.Checkpoint{Network: a.Network, Arithmetic: training.Fixed, Seed: a.Network.Seed, Tensors: machine.Tensors()}
	return m, Write(files, c, dir, edited)
}

// Write writes a design's files, and the synapses that its memories start from, into a folder, as Generate does.
func Write(files map[string][]byte, synapses *training.Checkpoint, dir string, edited Edited) error {
	if _, err := foreignIn(dir, files, edited); err != nil { // untouched
		return err
	}
	lock, err := golden.LockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	foreign, err := foreignIn(dir, files, edited)
	if err != nil { // of a process that was faster
		return err
	}
	return golden.WriteFolder(dir, func(temporary string) error {
		for name, text := range files {
			path := filepath.Join(temporary, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return err
			}
			if err := golden.WriteFile(path, text); err != nil {
				return err
			}
		}
		if err := synapses.Save(temporary); err != nil {
			return err
		}
		return foreign.keep(temporary)
	})
}

// IsDesign tells whether a folder holds a design, whole or damaged.
func IsDesign(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, manifestFile))
	return err == nil
}

// OpenDesign reads a generated design. Its manifest and memory images must be those that were generated, from the
// design's own network and weights by this version; the Verilog may have been changed. What differs is
// ErrDamaged, a folder that is no design ErrUsage.
func OpenDesign(dir string) (*Design, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	c, err := training.LoadCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	machine, _, err := settling.StartMachine(c.Network, c)
	if err != nil {
		return nil, err
	}
	files, want, err := Build(machine.A, m.Lanes, m.Target, machine.Synapse)
	if err == nil && m.Board != nil {
		want.Board, err = m.Board.Rebuilt(want)
	}
	if err != nil {
		want = nil
	}
	d := &Design{Dir: dir, Manifest: m, Network: c.Network, Arithmetic: machine.A, Layout: NewLayout(machine.A, m.Lanes), Initial: c}
	if err := m.Verify(dir, want, files, d.difference); err != nil {
		return nil, err
	}
	return d, nil
}

// Verify tells what of a design's folder is not as it was generated: its manifest, which is to be as wanted (nil: no design of its network is
// like it), its network, and its memory images; difference names the first word in which an image differs from its file.
func (m *Manifest) Verify(dir string, want *Manifest, files map[string][]byte, difference func(file string, want, got []byte) string) error {
	if want == nil || !m.sameBesides(want) {
		return fmt.Errorf("%w: %s, written by version %.20q, does not describe the design that version %s makes of its network; generate the design again",
			golden.ErrDamaged, filepath.Join(dir, manifestFile), m.Version, golden.Program())
	}
	if m.Sum != m.sum() {
		return fmt.Errorf("%w: %s is not as it was written: its checksum differs; generate the design again", golden.ErrDamaged, filepath.Join(dir, manifestFile))
	}
	if text, err := golden.ReadFile(filepath.Join(dir, networkFile), network.MaxYAMLFile); err != nil || !bytes.Equal(text, files[networkFile]) {
		return fmt.Errorf("%w: %s is not the network that the design was generated from; change your own network file and generate again",
			golden.ErrDamaged, filepath.Join(dir, networkFile))
	}
	images := m.Images
	if m.Board != nil {
		images = slices.Concat(images, m.Board.Images)
	}
	for _, i := range images {
		// As long as it was generated, and some more to tell where it differs.
		text, err := golden.ReadFile(filepath.Join(dir, i.File), max(int64(len(files[i.File])), MaxFile)+1<<20)
		if err != nil {
			return fmt.Errorf("%w: memory image: %w; generate the design again", golden.ErrDamaged, err)
		}
		if checksum(text) != m.Checksums[i.File] {
			return fmt.Errorf("%w: memory image %s is not the one that was generated: %s; generate the design again",
				golden.ErrDamaged, i.File, difference(i.File, files[i.File], text))
		}
	}
	return nil
}

// difference names the first word in which an image is not what was generated.
func (d *Design) difference(file string, want, got []byte) string {
	if want == nil {
		return "its checksum differs" // a self-test's, made from a data set
	}
	words := func(text []byte) []string { return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") }
	a, b := words(want), words(got)
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		where := ""
		for lane := range d.Manifest.Lanes {
			if matrix, column, row, ok := d.Layout.Place(lane, i); ok && file == imagePath(d.Manifest.Name, laneImage(lane)) {
				where = fmt.Sprintf(" (%s row %d column %d)", d.Arithmetic.Matrices[matrix].Name(), row, column)
			}
		}
		return fmt.Sprintf("line %d%s is %.20q, not %q", i+1, where, b[i], a[i])
	}
	return fmt.Sprintf("%d words, not %d", len(b), len(a))
}
