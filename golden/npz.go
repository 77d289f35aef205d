package golden

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// maxAsymmetry is how far two mirrored elements of a lateral matrix may lie apart, as a share of the matrix's largest
// magnitude. Float32 rounds by less than a ten-thousandth of that, mostly alike on both sides; a matrix that is not an
// estimate of an inverse correlation, a feedforward one under the name of C for one, is far beyond it.
const maxAsymmetry = 1e-3

// WriteNPZ writes the weights of a network to a NumPy archive, whole or not at all: arrays W0, ..., F1, ..., C1, ...
// with the shapes of Weights, row-major and uncompressed. NumPyFloat64 holds every value bit for bit, NumPyFloat32 the
// nearest. Equal weights give equal files. Errors are those of Weights.Check, values beyond float32 (ErrUsage) and of writing.
func WriteNPZ(path string, n *Network, w *Weights, dtype DType) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usagef("%s is a folder; name a file in it", path)
	}
	file, err := encodeNPZ(n, w, dtype)
	if err != nil {
		return err
	}
	return WriteFile(path, file)
}

func encodeNPZ(n *Network, w *Weights, dtype DType) ([]byte, error) {
	if err := w.Check(n); err != nil {
		return nil, err
	}
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	err := w.matrices(n, func(name string, _, _ int, place **mat.Dense) error {
		return addArray(archive, name, func(w io.Writer) error { return writeMatrix(w, *place, dtype) })
	})
	if err == nil {
		err = archive.Close()
	}
	return file.Bytes(), err
}

// addArray adds an array to an archive, uncompressed and without a time.
func addArray(archive *zip.Writer, name string, write func(w io.Writer) error) error {
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
// shapes of WriteNPZ: float64, float32 or float16, either byte order, C or Fortran order, values as they are. B1, ..., BK may
// take the place of C1, ..., CK: C = gamma B.
//
// ErrUsage: no such file, no archive, unknown, missing, doubled or mixed names, shapes that are not the network's, other
// types, and lateral matrices whose mirrored elements differ by more than a thousandth of the largest. ErrDamaged: truncated
// or changed files, NaN and infinity. What is allocated is in proportion to the network.
func ReadNPZ(path string, n *Network) (*Weights, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: .npz archive: %w", ErrUsage, err)
	}
	defer f.Close()
	w, err := readNPZ(f, size, n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

func readNPZ(r io.ReaderAt, size int64, n *Network) (*Weights, error) {
	archive, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	w := newWeights(n)
	entries, inverse, err := arraysOf(archive, n, w)
	if err != nil {
		return nil, err
	}
	err = w.matrices(n, func(name string, rows, cols int, place **mat.Dense) error {
		if inverse {
			name = strings.Replace(name, "C", "B", 1)
		}
		m, err := readEntry(entries[name], rows, cols)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*place = m
		if name[0] == 'W' || name[0] == 'F' {
			return nil
		}
		if err := checkSymmetry(m); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if inverse {
			m.Scale((1-n.Lambda)/n.Lambda, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
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
		return nil, usagef("a single array; want an archive of all: numpy.savez(FILE, W0=..., ...)")
	case !strings.HasPrefix(start, "PK"):
		return nil, usagef("no .npz archive; numpy.savez(FILE, W0=..., ...) writes one")
	}
	return nil, fmt.Errorf("%w: truncated or changed (%w); copy or save it again", ErrDamaged, err)
}

// arraysOf are the entries of an archive by the names of arrays: all of a network and no others. inverse: the lateral ones
// are B in place of C.
func arraysOf(archive *zip.Reader, n *Network, w *Weights) (entries map[string]*zip.File, inverse bool, err error) {
	var names, lateral []string
	_ = w.matrices(n, func(name string, _, _ int, _ **mat.Dense) error { // the visitor gives no error
		if name[0] == 'C' {
			lateral = append(lateral, name)
		} else {
			names = append(names, name)
		}
		return nil
	})
	known := map[string]bool{}
	candidates := append(names[:len(names):len(names)], lateral...)
	for _, name := range lateral {
		candidates = append(candidates, "B"+name[1:])
	}
	for _, name := range candidates {
		known[name] = true
	}
	entries = map[string]*zip.File{}
	kinds := map[byte]string{}
	for _, f := range archive.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !isArray:
			return nil, false, usagef("%.100q in the archive is no array of NumPy (.npy); save arrays only, "+
				"PyTorch's as numpy.savez(FILE, W0=W0.numpy(), ...)", f.Name)
		case !known[name]:
			return nil, false, usagef("unknown array %.100q; did you mean %q? The network has %s, and C1 to C%d or B1 to B%d",
				name, Nearest(name[:min(len(name), 100)], candidates), strings.Join(names, ", "), n.K(), n.K())
		case entries[name] != nil:
			return nil, false, usagef("two arrays %s; leave one out", name)
		}
		entries[name], kinds[name[0]] = f, name
	}
	if kinds['B'] != "" && kinds['C'] != "" {
		return nil, false, usagef("both %s and %s; give all lateral matrices as B or all as C = gamma B", kinds['B'], kinds['C'])
	}
	inverse = kinds['B'] != ""
	var missing []string
	for _, name := range append(names, lateral...) {
		if inverse {
			name = strings.Replace(name, "C", "B", 1)
		}
		if entries[name] == nil {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, false, usagef("missing %s; the archive must hold every matrix of the network", strings.Join(missing, ", "))
	}
	return entries, inverse, nil
}

// readEntry reads one array of an archive.
func readEntry(f *zip.File, rows, cols int) (*mat.Dense, error) {
	r, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return nil, usagef("compressed by method %d; want what numpy.savez or numpy.savez_compressed write", f.Method)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer r.Close()
	m, err := readMatrix(r, rows, cols)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if j := notFinite(m.RawRowView(i)); j >= 0 {
			return nil, fmt.Errorf("%w: row %d column %d is %v", ErrDamaged, i, j, m.At(i, j))
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
		return usagef("not symmetric: row %d column %d is %v, row %d column %d is %v; mirrored elements may differ by %g of the largest, %.3g: "+
			"if that is what you want, give (X + X.T) / 2", row, col, m.At(row, col), col, row, m.At(col, row), maxAsymmetry, maxAsymmetry*largest)
	}
	return nil
}
