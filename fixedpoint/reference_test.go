package fixedpoint

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestReferencePairs holds Resize against conversions that the standard's own headers made: those in
// testdata, and every ap_fixed*.json of the folder that CORINFO_REFERENCE names.
func TestReferencePairs(t *testing.T) {
	files, err := filepath.Glob("testdata/ap_fixed*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata/ap_fixed*.json: %v", err)
	}
	if folder := os.Getenv("CORINFO_REFERENCE"); folder != "" {
		more, err := filepath.Glob(filepath.Join(folder, "ap_fixed*.json"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no ap_fixed*.json in %s, which CORINFO_REFERENCE names: %v", folder, err)
		}
		files = append(files, more...)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testReference(t, file) })
	}
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
		for _, p := range c.Pairs {
			source, want := parseWord(t, p[0]), parseWord(t, p[1])
			if got, _ := to.Resize(from.Int(source), from.Frac, 0); got != want {
				t.Errorf("%v of %v to %v: got %d, want %d", p[0], from, to, got, want)
			}
			pairs++
		}
	}
	if pairs == 0 {
		t.Error("no pairs")
	}
	t.Logf("%d pairs", pairs)
}

// parseWord is the stored word of a raw integer; unsigned ones of 64 bits pass int64.
func parseWord(t *testing.T, n json.Number) int64 {
	t.Helper()
	if v, err := n.Int64(); err == nil {
		return v
	}
	var v uint64
	if _, err := fmt.Sscan(n.String(), &v); err != nil {
		t.Fatalf("raw value %s: %v", n, err)
	}
	return int64(v)
}
