package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"corinfo/golden"
)

// maxIDX is the largest idx file, uncompressed: a few bytes of gzip can stand for any length.
const maxIDX = 1 << 30

// readIDX reads a file or its gzipped form, uncompressed.
func readIDX(dir, name string) (text []byte, path string, err error) {
	path = filepath.Join(dir, name)
	text, err = golden.ReadFile(path, maxIDX)
	if errors.Is(err, os.ErrNotExist) {
		path += ".gz"
		var packed []byte
		if packed, err = golden.ReadFile(path, maxIDX); err != nil {
			return nil, path, err
		}
		if text, err = gunzip(packed); err != nil {
			return nil, path, damagedFile(path, err)
		}
	}
	switch {
	case err != nil:
		return nil, path, fmt.Errorf("%w: %w", golden.ErrUsage, err)
	case len(text) > maxIDX:
		return nil, path, damagedFile(path, fmt.Errorf("at byte %d: longer than any data set", maxIDX))
	}
	return text, path, nil
}

// gunzip reads gzip, at most maxIDX + 1 bytes of content. Its errors name the byte of the packed text at
// or before which reading failed.
func gunzip(packed []byte) ([]byte, error) {
	source := bytes.NewReader(packed)
	var text []byte
	z, err := gzip.NewReader(source)
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(z, maxIDX+1))
	}
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", len(packed)-source.Len(), err)
	}
	return text, nil
}

// idx is the content of an idx file of bytes.
type idx struct {
	count, size int
	data        []uint8
}

// parseIDX checks the header and the length: magic 0x000008dd, dd dimensions of 4 bytes each, then the bytes.
// The content is a slice of the text.
func parseIDX(text []byte, dimensions int) (idx, error) {
	start := 4 + 4*dimensions
	if len(text) < start {
		return idx{}, fmt.Errorf("at byte %d: the file ends within its header of %d bytes", len(text), start)
	}
	if magic, want := binary.BigEndian.Uint32(text), 0x800+uint32(dimensions); magic != want {
		return idx{}, fmt.Errorf("at byte 0: magic number %08x; want %08x", magic, want)
	}
	x := idx{size: 1}
	have, need := uint64(len(text)-start), uint64(1)
	for d := range dimensions {
		length := uint64(binary.BigEndian.Uint32(text[4+4*d:]))
		if length == 0 {
			return idx{}, fmt.Errorf("at byte %d: dimension %d is 0", 4+4*d, d)
		}
		if need *= length; need > have { // both below 2^32, before a product could overflow
			return idx{}, fmt.Errorf("at byte %d: the file ends after %d bytes of data; its header says %d or more", len(text), have, need)
		}
		if d == 0 {
			x.count = int(length)
		} else {
			x.size *= int(length)
		}
	}
	if need < have {
		return idx{}, fmt.Errorf("at byte %d: %d bytes more than the header says", uint64(start)+need, have-need)
	}
	x.data = text[start:]
	return x, nil
}
