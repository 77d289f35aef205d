package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// encodeNPZ is an archive as numpy.savez writes it.
func encodeNPZ(d *rule.Description, w Weights, dtype DType, names map[int]fileName) ([]byte, error) {
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for i, at := range d.Stored() {
		f := names[at]
		err := AddArray(archive, f.name, func(out io.Writer) error { return writeArray(out, w[i].Dense, dtype, f.vector) })
		if err != nil {
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

// readNPZ reads an archive of numpy.savez or savez_compressed: either byte order, C or Fortran order.
func readNPZ(r io.ReaderAt, size int64, d *rule.Description, layers []string) (Weights, []string, error) {
	archive, err := openArchive(r, size)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, f := range archive.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			return nil, nil, golden.Usagef("%.100q in the archive is no array of NumPy (.npy); save arrays only, "+
				"PyTorch's by safetensors.torch.save_file(model.state_dict(), FILE.safetensors)", f.Name)
		}
		names = append(names, name)
	}
	arrays, err := find(d, names, layers)
	if err != nil {
		return nil, nil, err
	}
	return collect(d, arrays, func(entry, rows, cols int) (*mat.Dense, error) {
		return readEntry(archive.File[entry], rows, cols)
	})
}

// openArchive tells a file of another kind from a damaged archive.
func openArchive(r io.ReaderAt, size int64) (*zip.Reader, error) {
	archive, err := zip.NewReader(r, size)
	if err == nil {
		return archive, nil
	}
	text := make([]byte, 9)
	length, _ := r.ReadAt(text, 0)
	switch start := string(text[:length]); {
	case strings.HasPrefix(start, npyMagic):
		return nil, golden.Usagef("a single array; want an archive of all: numpy.savez(FILE, W0=..., ...)")
	case strings.HasSuffix(start, "{") && length == len(text):
		return nil, golden.Usagef("no .npz archive; rename it to FILE.safetensors if it is such a file")
	case !strings.HasPrefix(start, "PK"):
		return nil, golden.Usagef("no .npz archive; numpy.savez(FILE, W0=..., ...) writes one")
	}
	return nil, fmt.Errorf("%w: truncated or changed (%w); copy or save it again", golden.ErrDamaged, err)
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
	return readMatrix(r, rows, cols)
}
