// Package hdlgen is what every hardware design has, whatever it computes: pipelines of graphs of operations, the
// library of package rtl, a board's files, vectors for testbenches, a manifest, and what parts of a device all that
// takes. What a network becomes is planned in hdlgen/design. It leaves running tools on the result to package sim.
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
	vl "corinfo/hdlgen/verilog"
	"corinfo/rtl"
)

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

// AddProject adds what every design has beside its Verilog and its memories, all of which are there: lists of files for
// tools, the network, and the manifest with the checksums of all.
func AddProject(files map[string][]byte, m *Manifest, n *network.Network) error {
	family, err := constraints.GetFamily(m.Target.Family)
	if err != nil {
		return err
	}
	files[n.Name+".f"] = []byte(strings.Join(m.Files, "\n") + "\n")
	files[n.Name+".core"] = designCore(m, n.Hardware.Learning, files)
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

// AddLibrary adds the whole library, a core of its own, to a design's files, and lists those of its files that the modules named and all
// that they instantiate are in, in dependency order. The library is the same in every design, so that one copy serves many.
func AddLibrary(files map[string][]byte, instances []string) (needed []string) {
	maps.Copy(files, libraryFiles())
	files[libraryFolder+"/"+libraryCoreFile] = libraryCore()
	for _, name := range rtl.Needed(instances) {
		needed = append(needed, libraryFolder+"/"+name)
	}
	return needed
}

// WithProperties adds to a design's Verilog, by its path, the properties of the library's modules: to each that has some, an instance of
// them, and their own files, which it lists. Properties without a clock are for proofs, not for simulators.
func WithProperties(files map[string][]byte) (added []string) {
	for _, name := range rtl.Order {
		path := libraryFolder + "/" + name
		text, ok := files[path]
		if !ok {
			continue
		}
		with, properties := rtl.WithProperties(name, text)
		if !bytes.Contains(properties, []byte("clk_i")) {
			continue
		}
		own := strings.TrimSuffix(path, ".v") + "_formal.sv"
		files[path], files[own] = with, properties
		added = append(added, own)
	}
	return added
}

// Write writes a design's files, and the synapses that its memories start from, into a folder, whole or not at all. A
// design that is there is replaced, but what is not part of it stays where it is. A folder that is no design, a foreign
// file in the place of a new one and, unless edited says otherwise, a file of the design that was changed by hand are
// refused (ErrUsage).
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

// Verify tells what of a design's folder is not as it was generated: its manifest, which is to be as wanted (nil: no design of its network is
// like it), its network, and its memory images; difference names the first word in which an image differs from its file.
func (m *Manifest) Verify(dir string, want *Manifest, files map[string][]byte, difference func(want, got []byte) string) error {
	changed := fmt.Errorf("%w: %s is not as it was written: its checksum differs; generate the design again",
		golden.ErrDamaged, filepath.Join(dir, manifestFile))
	if m.Sum != m.sum() && m.Version == golden.Program() {
		return changed
	}
	if want == nil || !m.sameBesides(want) {
		return fmt.Errorf("%w: %s, written by version %.20q, does not describe the design that version %s makes of its network; generate the design again",
			golden.ErrDamaged, filepath.Join(dir, manifestFile), m.Version, golden.Program())
	}
	if m.Sum != m.sum() {
		return changed
	}
	if text, err := golden.ReadFile(filepath.Join(dir, networkFile), network.MaxYAMLFile); err != nil ||
		!bytes.Equal(text, files[networkFile]) {
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
			differs := "its checksum differs" // of a board's image, which needs the data set to be made again
			if want, ok := files[i.File]; ok {
				differs = difference(want, text)
			}
			return fmt.Errorf("%w: memory image %s is not the one that was generated: %s; generate the design again",
				golden.ErrDamaged, i.File, differs)
		}
	}
	return nil
}
