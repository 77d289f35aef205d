package weights

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// maxAsymmetry is how far two mirrored elements of a lateral matrix may lie apart, as a share of the matrix's largest
// magnitude. Float32 rounds by less than a ten-thousandth of that, mostly alike on both sides; a matrix that is not an
// estimate of an inverse correlation, a feedforward one under the name of C for one, is far beyond it.
const maxAsymmetry = 1e-3

// safetensorsFile tells by its name what a file is; all others are archives of NumPy.
func safetensorsFile(path string) bool { return strings.EqualFold(filepath.Ext(path), ".safetensors") }

// Write writes the weights of a network to a file, whole or not at all: FILE.safetensors, or a NumPy archive under any
// other name. It has an array per matrix, row-major and uncompressed, by the rule's names or, of a stack of linear layers,
// by those of ParseLayers. NumPyFloat64 holds every value bit for bit, NumPyFloat32 the nearest. Equal weights give equal
// files. names are those of the arrays. Errors are those of Weights.Check, values beyond float32 (golden.ErrUsage) and of
// writing.
func Write(path string, d *rule.Description, w Weights, dtype DType, layers []string) (names []string, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, golden.Usagef("%s is a folder; name a file in it", path)
	}
	if err := w.Check(d); err != nil {
		return nil, err
	}
	encode := encodeNPZ
	if safetensorsFile(path) {
		encode = encodeSafetensors
	}
	called := fileNames(d, layers)
	file, err := encode(d, w, dtype, called)
	if err != nil {
		return nil, err
	}
	for _, at := range d.Stored() {
		names = append(names, called[at].name)
	}
	return names, golden.WriteFile(path, file)
}

// Read reads the weights of a network from a file, FILE.safetensors or a NumPy archive, with the names and shapes of
// Write: float64, float32 or float16, of a .safetensors bfloat16 too, values as they are. Matrices of one column may be
// vectors. Matrices that a rule keeps scaled may be held unscaled under their other name, as B1 in the place of C1 =
// gamma B1. Without layers, arrays are known by the rule's names or, LAYER.weight and LAYER.bias, by the numbers in the
// names of layers. names are those of the arrays, in the order of the weights.
//
// golden.ErrUsage: no such file, none of its kind, unknown, missing, doubled or mixed names, layers whose order is not
// told, shapes that are not the network's, other types, and symmetric matrices whose mirrored elements differ by more than
// a thousandth of the largest. golden.ErrDamaged: truncated or changed files, NaN and infinity. What is allocated is in
// proportion to the network.
func Read(path string, d *rule.Description, layers []string) (w Weights, names []string, err error) {
	kind, read := ".npz archive", readNPZ
	if safetensorsFile(path) {
		kind, read = ".safetensors file", readSafetensors
	}
	f, size, err := golden.OpenFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", golden.ErrUsage, kind, err)
	}
	defer f.Close()
	w, names, err = read(f, size, d, layers)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, names, nil
}

// collect reads and checks the arrays of a file that a network has been found in.
func collect(d *rule.Description, arrays []found, read func(entry, rows, cols int) (*mat.Dense, error)) (w Weights, names []string, err error) {
	for _, f := range arrays {
		p := d.Projections[f.projection]
		m, err := read(f.entry, p.Rows, p.Cols)
		if err == nil {
			err = checkValues(m, p.Symmetric)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if f.unscaled {
			m.Scale(p.Scale, m)
		}
		w, names = append(w, Matrix{p.Name, m}), append(names, f.name)
	}
	return w, names, nil
}

// checkValues finds NaN, infinity and, in a symmetric matrix, the element that is farthest from its mirror image, if it is
// too far.
func checkValues(m *mat.Dense, symmetric bool) error {
	for i := range m.RawMatrix().Rows {
		if j := NotFinite(m.RawRowView(i)); j >= 0 {
			return fmt.Errorf("%w: row %d column %d is %v", golden.ErrDamaged, i, j, m.At(i, j))
		}
	}
	if !symmetric {
		return nil
	}
	largest, worst, row, col := 0.0, 0.0, 0, 0
	for i := range m.RawMatrix().Rows {
		for j, v := range m.RawRowView(i) {
			largest = max(largest, math.Abs(v))
			if d := math.Abs(v - m.At(j, i)); d > worst {
				worst, row, col = d, i, j
			}
		}
	}
	if worst > maxAsymmetry*largest {
		return golden.Usagef("not symmetric: row %d column %d is %v, row %d column %d is %v; mirrored elements may differ by %g of the largest, %.3g: "+
			"if that is what you want, give (X + X.T) / 2", row, col, m.At(row, col), col, row, m.At(col,
			row), maxAsymmetry, maxAsymmetry*largest)
	}
	return nil
}

// readRows fills a matrix from a reader of numbers, row after row.
func readRows(r io.Reader, rows, cols int, n number) (*mat.Dense, error) {
	data := make([]float64, rows*cols)
	line := make([]byte, cols*n.size)
	for i := range rows {
		if err := readWhole(r, line); err != nil {
			return nil, err
		}
		for j := range cols {
			data[i*cols+j] = n.value(line[j*n.size:])
		}
	}
	return mat.NewDense(rows, cols, data), nil
}
