package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// maxAsymmetry is how far two mirrored elements of a lateral matrix may lie apart, as a share of the matrix's largest
// magnitude. Float32 rounds by less than a ten-thousandth of that, mostly alike on both sides; a matrix that is not an
// estimate of an inverse correlation, a feedforward one under the name of C for one, is far beyond it.
const maxAsymmetry = 1e-3

// WriteNPZ writes the weights of a network to a NumPy archive, whole or not at all: an array per matrix, by its
// name, row-major and uncompressed. NumPyFloat64 holds every value bit for bit, NumPyFloat32 the
// nearest. Equal weights give equal files. Errors are those of Weights.Check, values beyond float32 (golden.ErrUsage) and of writing.
func WriteNPZ(path string, d *rule.Description, w Weights, dtype DType) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return golden.Usagef("%s is a folder; name a file in it", path)
	}
	file, err := encodeNPZ(d, w, dtype)
	if err != nil {
		return err
	}
	return golden.WriteFile(path, file)
}

func encodeNPZ(d *rule.Description, w Weights, dtype DType) ([]byte, error) {
	if err := w.Check(d); err != nil {
		return nil, err
	}
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for _, x := range w {
		if err := AddArray(archive, x.Name, func(w io.Writer) error { return WriteMatrix(w, x.Dense, dtype) }); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return file.Bytes(), err
}

// AddArray adds an array to an archive, uncompressed and without a time.
func AddArray(archive *zip.Writer, name string, write func(w io.Writer) error) error {
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
	if err == nil {
		err = write(entry)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// ReadNPZ reads the weights of a network from a NumPy archive, of numpy.savez or savez_compressed, with the names and
// shapes of WriteNPZ: float64, float32 or float16, either byte order, C or Fortran order, values as they are. Matrices
// that a rule keeps scaled may be held unscaled under their other name, as B1 in the place of C1 = gamma B1.
//
// golden.ErrUsage: no such file, no archive, unknown, missing, doubled or mixed names, shapes that are not the network's, other
// types, and symmetric matrices whose mirrored elements differ by more than a thousandth of the largest. golden.ErrDamaged: truncated
// or changed files, NaN and infinity. What is allocated is in proportion to the network.
func ReadNPZ(path string, d *rule.Description) (Weights, error) {
	f, size, err := golden.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: .npz archive: %w", golden.ErrUsage, err)
	}
	defer f.Close()
	w, err := readNPZ(f, size, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

func readNPZ(r io.ReaderAt, size int64, d *rule.Description) (Weights, error) {
	archive, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	entries, unscaled, err := arraysOf(archive, d)
	if err != nil {
		return nil, err
	}
	var w Weights
	for _, at := range d.Stored() {
		p := d.Projections[at]
		name := p.Name
		if unscaled && p.Unscaled != "" {
			name = p.Unscaled
		}
		m, err := readEntry(entries[name], p.Rows, p.Cols)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if p.Symmetric {
			if err := checkSymmetry(m); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if name != p.Name {
			m.Scale(p.Scale, m)
		}
		w = append(w, Matrix{p.Name, m})
	}
	return w, nil
}

// openArchive tells a file of another kind from a damaged archive.
func openArchive(r io.ReaderAt, size int64) (*zip.Reader, error) {
	archive, err := zip.NewReader(r, size)
	if err == nil {
		return archive, nil
	}
	start := make([]byte, len(npyMagic))
	length, _ := r.ReadAt(start, 0)
	switch start := string(start[:length]); {
	case start == npyMagic:
		return nil, golden.Usagef("a single array; want an archive of all: numpy.savez(FILE, W0=..., ...)")
	case !strings.HasPrefix(start, "PK"):
		return nil, golden.Usagef("no .npz archive; numpy.savez(FILE, W0=..., ...) writes one")
	}
	return nil, fmt.Errorf("%w: truncated or changed (%w); copy or save it again", golden.ErrDamaged, err)
}

// arraysOf are the entries of an archive by the names of arrays: all of a network and no others. unscaled: those that
// may be held without their scale are.
func arraysOf(archive *zip.Reader, d *rule.Description) (entries map[string]*zip.File, unscaled bool, err error) {
	var names, others []string
	scaled := map[string]bool{} // of the names, those that have another
	for _, at := range d.Stored() {
		p := d.Projections[at]
		names = append(names, p.Name)
		if p.Unscaled != "" {
			others, scaled[p.Name] = append(others, p.Unscaled), true
		}
	}
	entries = map[string]*zip.File{}
	first, other := "", "" // of those that have two names, one under each
	for _, f := range archive.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !isArray:
			return nil, false, golden.Usagef("%.100q in the archive is no array of NumPy (.npy); save arrays only, "+
				"PyTorch's as numpy.savez(FILE, W0=W0.numpy(), ...)", f.Name)
		case !slices.Contains(names, name) && !slices.Contains(others, name):
			all := append(names[:len(names):len(names)], others...)
			hint := strings.Join(names, ", ")
			if others != nil {
				hint += ", or " + strings.Join(others, ", ") + " in the place of the last"
			}
			return nil, false, golden.Usagef("unknown array %.100q; did you mean %q? The network has %s", name, golden.Nearest(name[:min(len(name), 100)], all), hint)
		case entries[name] != nil:
			return nil, false, golden.Usagef("two arrays %s; leave one out", name)
		case scaled[name]:
			first = name
		case slices.Contains(others, name):
			other = name
		}
		entries[name] = f
	}
	if first != "" && other != "" {
		return nil, false, golden.Usagef("both %s and %s; give all of these matrices under one of their names", other, first)
	}
	var missing []string
	for _, at := range d.Stored() {
		p := d.Projections[at]
		name := p.Name
		if other != "" && p.Unscaled != "" {
			name = p.Unscaled
		}
		if entries[name] == nil {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, false, golden.Usagef("missing %s; the archive must hold every matrix of the network", strings.Join(missing, ", "))
	}
	return entries, other != "", nil
}

// readEntry reads one array of an archive.
func readEntry(f *zip.File, rows, cols int) (*mat.Dense, error) {
	r, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return nil, golden.Usagef("compressed by method %d; want what numpy.savez or numpy.savez_compressed write", f.Method)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", golden.ErrDamaged, err)
	}
	defer r.Close()
	m, err := readMatrix(r, rows, cols)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if j := NotFinite(m.RawRowView(i)); j >= 0 {
			return nil, fmt.Errorf("%w: row %d column %d is %v", golden.ErrDamaged, i, j, m.At(i, j))
		}
	}
	return m, nil
}

// checkSymmetry names the element that is farthest from its mirror image, if it is too far.
func checkSymmetry(m *mat.Dense) error {
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
			"if that is what you want, give (X + X.T) / 2", row, col, m.At(row, col), col, row, m.At(col, row), maxAsymmetry, maxAsymmetry*largest)
	}
	return nil
}
