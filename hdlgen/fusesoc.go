package hdlgen

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"corinfo/golden"
	"corinfo/rtl"
)

// FuseSoC cores. A core's name ends in the program's version and a revision that follows from its files: cores that differ
// have different names, and a design depends on the library that it was generated with and on no other.

// libraryCoreFile is the library's core description, in its folder.
const libraryCoreFile = "corinfo.core"

// coreVersion is the program's version as FuseSoC takes it: numbers, without what tells that it is under way.
func coreVersion() string {
	numbers, _, _ := strings.Cut(golden.Version, "-")
	return numbers
}

// libraryFiles are the library's modules, by their path in a design's folder.
func libraryFiles() map[string][]byte {
	files := map[string][]byte{}
	for _, name := range rtl.Order {
		files[libraryFolder+"/"+name] = rtl.Text(name)
	}
	return files
}

func libraryName() string {
	return fmt.Sprintf("corinfo:library:rtl:%s-r%d", coreVersion(), revision(libraryFiles()))
}

// libraryCore describes the library to FuseSoC.
func libraryCore() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "CAPI=2:\nname: %q\ndescription: the modules that every design of corinfo uses\n", libraryName())
	b.WriteString("filesets:\n  rtl:\n    files:\n")
	for _, name := range rtl.Order {
		fmt.Fprintf(&b, "      - %s\n", name)
	}
	b.WriteString("    file_type: verilogSource-2005\ntargets:\n  default:\n    filesets: [rtl]\n")
	return []byte(b.String())
}

// designCore describes a design, all of whose other files are given, to FuseSoC. Its images are copied to the folder in which
// tools run.
func designCore(m *Manifest, learns bool, files map[string][]byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "CAPI=2:\nname: \"corinfo:designs:%s:%s-r%d\"\n", m.Name, coreVersion(), revision(files))
	does := "learns"
	if !learns {
		does = "classifies"
	}
	fmt.Fprintf(&b, "description: a network of %s neurons that %s, on %s\n",
		strings.Trim(strings.Join(strings.Fields(fmt.Sprint(m.Layers)), "-"), "[]"), does, counted(m.Lanes, "lane"))
	fmt.Fprintf(&b, "filesets:\n  rtl:\n    depend: [%q]\n    files:\n", libraryName())
	for _, f := range m.Files {
		if !strings.HasPrefix(f, libraryFolder+"/") {
			fmt.Fprintf(&b, "      - %s\n", f)
		}
	}
	b.WriteString("    file_type: verilogSource-2005\n  images:\n    files:\n")
	for _, i := range m.Images {
		fmt.Fprintf(&b, "      - %s: {copyto: %s}\n", i.File, i.File)
	}
	b.WriteString("    file_type: user\n")
	fmt.Fprintf(&b, "targets:\n  default: &default\n    filesets: [rtl, images]\n    toplevel: %s\n", m.Name)
	b.WriteString("  lint:\n    <<: *default\n    default_tool: verilator\n    tools:\n      verilator:\n        mode: lint-only\n        verilator_options: [-Wall]\n")
	return []byte(b.String())
}

// revision is a number that follows from files, 1 to 2^31-1.
func revision(files map[string][]byte) int {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintln(sum, name, len(files[name]))
		sum.Write(files[name])
	}
	return int(binary.BigEndian.Uint32(sum.Sum(nil))>>1 | 1)
}

// counted is a number of things, by the name of one.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
