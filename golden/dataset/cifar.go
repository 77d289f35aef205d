package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden"
)

// CIFAR-10's binary version: files of records, one byte of label, then the pixels of 32 x 32 images, all of red, then of green,
// then of blue.
const (
	cifarPixels  = 3 * 32 * 32
	cifarRecord  = 1 + cifarPixels
	cifarClasses = 10
	cifarRecords = 10000                  // of each published file
	CIFARFolder  = "cifar-10-batches-bin" // as the archive names it
	maxCIFAR     = cifarRecord * 100000   // bytes of a file
)

// cifarFiles are the standard names, the test file last.
var cifarFiles = [6]string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
	"test_batch.bin"}

// loadCIFAR reads the six files of a folder. Files of other lengths than the published ones are taken too, but beside one of
// 10,000 records a shorter one has lost its end.
func loadCIFAR(dir string) (*Data, error) {
	data := &Data{Name: "cifar10"}
	whole := false
	var counts [len(cifarFiles)]int
	for i, name := range cifarFiles {
		path := filepath.Join(dir, name)
		text, err := golden.ReadFile(path, maxCIFAR)
		if errors.Is(err, os.ErrNotExist) {
			return nil, golden.Usagef("dataset cifar10: no %s in %s: %s", name, dir, dataRemedy["cifar10"])
		}
		if err != nil {
			return nil, fmt.Errorf("%w: dataset cifar10: %w", golden.ErrUsage, err)
		}
		set := &data.Train
		if i == len(cifarFiles)-1 {
			set = &data.Test
		}
		before := set.Len()
		if err := appendCIFAR(set, text); err != nil {
			return nil, damagedFile(path, err)
		}
		counts[i] = set.Len() - before
		whole = whole || counts[i] == cifarRecords
	}
	for i, count := range counts {
		if whole && count != cifarRecords {
			return nil, damagedFile(filepath.Join(dir, cifarFiles[i]),
				fmt.Errorf("%d records; the published files have %d each", count, cifarRecords))
		}
	}
	data.Checksum = data.contentSum()
	return data, nil
}

// appendCIFAR adds the records of a file to a set.
func appendCIFAR(set *Set, text []byte) error {
	switch {
	case len(text) == 0:
		return errors.New("at byte 0: the file is empty")
	case len(text) > maxCIFAR:
		return fmt.Errorf("at byte %d: longer than any file of CIFAR-10", maxCIFAR)
	case len(text)%cifarRecord != 0:
		return fmt.Errorf("at byte %d: the file ends within record %d of %d bytes", len(text), len(text)/cifarRecord, cifarRecord)
	}
	set.Size = cifarPixels
	for at := 0; at < len(text); at += cifarRecord {
		if label := text[at]; label >= cifarClasses {
			return fmt.Errorf("at byte %d: record %d has label %d; want 0 to %d", at, at/cifarRecord, label, cifarClasses-1)
		}
		set.Labels = append(set.Labels, text[at])
		set.Pixels = append(set.Pixels, text[at+1:at+cifarRecord]...)
	}
	return nil
}
