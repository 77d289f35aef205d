package fixedpoint

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// TestReferencePairs holds Resize against conversions that the standard's own headers made: those in
// testdata, and every ap_fixed*.json of the folder that CORINFO_REFERENCE names, which may have none.
func TestReferencePairs(t *testing.T) {
	files := referenceFiles(t, "testdata")
	if len(files) == 0 {
		t.Fatal("no testdata/ap_fixed*.json")
	}
	if folder := os.Getenv("CORINFO_REFERENCE"); folder != "" {
		files = append(files, referenceFiles(t, folder)...)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testReference(t, file) })
	}
}

func referenceFiles(t *testing.T, folder string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatalf("reference folder: %v", err)
	}
	for _, e := range entries {
		if legal, _ := filepath.Match("ap_fixed*.json", e.Name()); legal {
			files = append(files, filepath.Join(folder, e.Name()))
		}
	}
	return files
}

type referenceFormat struct {
	Width        int
	IntegerBits  int `json:"integer_bits"`
	Signed       bool
	Quantization string
	Overflow     string
}

func testReference(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Cases []struct {
			Source, Destination referenceFormat
			Pairs               [][2]json.Number
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for _, c := range reference.Cases {
		d := c.Destination
		kind := "ap_ufixed"
		if d.Signed {
			kind = "ap_fixed"
		}
		to, err := ParseType(fmt.Sprintf("%s<%d,%d,%s,%s>", kind, d.Width, d.IntegerBits, d.Quantization, d.Overflow))
		if err != nil {
			t.Fatal(err)
		}
		from := Format{c.Source.Width, c.Source.Width - c.Source.IntegerBits, c.Source.Signed}
		if err := from.Check(); err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Pairs {
			source, want := parseRaw(t, p[0], from), parseRaw(t, p[1], to.Format)
			if got, _ := to.Resize(source, from.Frac, 0); got != to.Word(want) {
				t.Errorf("%v of %v to %v: got %d, want %v", p[0], from, to, got, want)
			}
			compareCompiled(t, from, to, source, to.Word(want))
			pairs++
		}
	}
	if pairs == 0 {
		t.Error("no pairs")
	}
	t.Logf("%d pairs", pairs)
}

// compareCompiled holds the kernel's conversion against the wanted word, of sources that are words.
func compareCompiled(t *testing.T, from Format, to Type, source Int, want int64) {
	t.Helper()
	if from.Width > MaxWord {
		return
	}
	g := NewGraph("reference")
	g.Output("out", g.Resize("converted", g.Input("in", from), to))
	kernel, err := g.Compile()
	if err != nil {
		t.Fatal(err)
	}
	got := []int64{0}
	kernel.NewRunner().Run(1, [][]int64{{from.Word(source)}}, [][]int64{got})
	if got[0] != want {
		t.Errorf("%v of %v to %v, compiled: got %d, want %d", source, from, to, got[0], want)
	}
}

// parseRaw is a raw integer of any width.
func parseRaw(t *testing.T, n json.Number, f Format) Int {
	t.Helper()
	v, ok := new(big.Int).SetString(n.String(), 10)
	if !ok {
		t.Fatalf("raw value %q is not an integer", n)
	}
	raw, ok := FromBig(v)
	if !ok || !f.Contains(raw) {
		t.Fatalf("raw value %v is not one of %v", n, f)
	}
	return raw
}

// Files of other makers may have sources of up to 255 bits, quoted integers and words beyond int64.
func TestReferenceFormats(t *testing.T) {
	testReference(t, "testdata/wide.json")
}
