package dataset

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"corinfo/golden"
	"github.com/stretchr/testify/require"
)

func pngText(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

func jpegText(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}))
	return b.Bytes()
}

// put writes a file and the folders around it.
func put(t *testing.T, text []byte, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, text, 0o644))
	return file
}

// greyImage is w x h pixels of start, start + 1, ...
func greyImage(w, h, start int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(start + i)
	}
	return m
}

// colourImage has the grey image's values in red, 100 in green, 255 minus them in blue.
func colourImage(w, h, start int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(m.Pix[4*i:], []uint8{uint8(start + i), 100, uint8(255 - start - i), 255})
	}
	return m
}

// smallImages writes 3 training and 2 test images of 3 x 2 pixels in two classes.
func smallImages(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	put(t, pngText(t, greyImage(3, 2, 10)), dir, "train", "cat", "b.png")
	put(t, pngText(t, greyImage(3, 2, 20)), dir, "train", "cat", "a.PNG")
	put(t, pngText(t, greyImage(3, 2, 30)), dir, "train", "dog", "z.png")
	put(t, pngText(t, greyImage(3, 2, 40)), dir, "test", "cat", "a.png")
	put(t, pngText(t, greyImage(3, 2, 50)), dir, "test", "dog", "a.png")
	return dir
}

func images(dir string) (*Data, error) { return Load(Source{Name: "images", Path: dir}) }

func TestLoadImages(t *testing.T) {
	dir := smallImages(t)
	put(t, []byte("no image"), dir, "train", "cat", "notes.txt") // passed over, as hidden files and folders are
	put(t, []byte("no image"), dir, "train", "cat", "._a.png")
	put(t, []byte("no image"), dir, "train", ".cache", "a.png")
	put(t, []byte("no image"), dir, "train", "labels.csv")
	data, err := images(dir)
	require.NoError(t, err)
	require.Equal(t, "images", data.Name)
	require.Equal(t, Set{Size: 6, Labels: []uint8{0, 1, 0}, // a class at a time, by turns
		Pixels: []uint8{20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35, 10, 11, 12, 13, 14, 15}}, data.Train)
	require.Equal(t, Set{Size: 6, Labels: []uint8{0, 1}, Pixels: []uint8{40, 41, 42, 43, 44, 45, 50, 51, 52, 53, 54, 55}}, data.Test)
	require.NoError(t, data.Check([]int{6, 9, 2}))
	require.ErrorContains(t, data.Check([]int{6, 9, 1}), "training sample 1 has label 1")

	// The content counts, not the place or the way in which it is packed.
	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.Rename(dir, moved))
	var b bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, greyImage(3, 2, 30)))
	put(t, b.Bytes(), moved, "train", "dog", "z.png")
	again, err := images(moved)
	require.NoError(t, err)
	require.Equal(t, data, again)
	put(t, pngText(t, greyImage(3, 2, 31)), moved, "train", "dog", "z.png")
	other, err := images(moved)
	require.NoError(t, err)
	require.NotEqual(t, data.Checksum, other.Checksum)
}

// TestImageClasses: numbers are sorted as numbers where all classes are numbers, and links to folders are folders.
func TestImageClasses(t *testing.T) {
	for _, c := range []struct{ folders, want string }{
		{"10 9 2 0", "0 2 9 10"},
		{"10 9 2 x", "10 2 9 x"},
		{"01 1 0", "0 01 1"},
		{"b a B", "B a b"},
	} {
		dir := t.TempDir()
		for _, name := range strings.Fields(c.folders) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "real", name), 0o755))
			require.NoError(t, os.MkdirAll(filepath.Join(dir, "links"), 0o755))
			require.NoError(t, os.Symlink(filepath.Join(dir, "real", name), filepath.Join(dir, "links", name)))
		}
		for _, part := range []string{"real", "links"} {
			names, err := classFolders(filepath.Join(dir, part))
			require.NoError(t, err)
			require.Equal(t, strings.Fields(c.want), names)
		}
	}
}

// TestImageKinds decodes one image of every kind of pixels to known values.
func TestImageKinds(t *testing.T) {
	rect := image.Rect(0, 0, 2, 1)
	grey16 := image.NewGray16(rect)
	grey16.SetGray16(0, 0, color.Gray16{0x12ff})
	grey16.SetGray16(1, 0, color.Gray16{0xff00})
	deep := image.NewNRGBA64(rect)
	deep.SetNRGBA64(0, 0, color.NRGBA64{0x0180, 0x02ff, 0x0300, 0xffff})
	deep.SetNRGBA64(1, 0, color.NRGBA64{0xffff, 0x8000, 0, 0xffff})
	clear := image.NewNRGBA(rect)
	clear.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 0})
	clear.SetNRGBA(1, 0, color.NRGBA{255, 0, 255, 128})
	greyPalette := image.NewPaletted(rect, color.Palette{color.Gray{7}, color.Gray{250}})
	greyPalette.SetColorIndex(1, 0, 1)
	palette := image.NewPaletted(rect, color.Palette{color.Gray{7}, color.RGBA{1, 2, 3, 255}})
	palette.SetColorIndex(1, 0, 1)
	window := greyImage(5, 3, 0).SubImage(image.Rect(2, 1, 4, 2))
	for name, c := range map[string]struct {
		m      image.Image
		planes int
		want   []uint8
	}{
		"grey":           {greyImage(2, 1, 254), 1, []uint8{254, 255}},
		"16 bits grey":   {grey16, 1, []uint8{0x12, 0xff}},
		"colour":         {colourImage(2, 1, 3), 3, []uint8{3, 4, 100, 100, 252, 251}},
		"16 bits colour": {deep, 3, []uint8{1, 255, 2, 128, 3, 0}},
		"transparent":    {clear, 3, []uint8{0, 128, 0, 0, 0, 128}}, // on black
		"grey palette":   {greyPalette, 1, []uint8{7, 250}},
		"palette":        {palette, 3, []uint8{7, 1, 7, 2, 7, 3}},
		"part":           {window, 1, []uint8{7, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			text := pngText(t, c.m)
			size, err := imageHeader(text)
			require.NoError(t, err)
			require.Equal(t, imageSize{2, 1, c.planes}, size)
			got := make([]uint8, size.bytes())
			require.NoError(t, imagePlanes(text, size, got))
			require.Equal(t, c.want, got)
			if c.planes == 1 { // beside colour images
				got = make([]uint8, 6)
				require.NoError(t, imagePlanes(text, imageSize{2, 1, 3}, got))
				require.Equal(t, []uint8{c.want[0], c.want[1], c.want[0], c.want[1], c.want[0], c.want[1]}, got)
			} else {
				require.Error(t, imagePlanes(text, imageSize{2, 1, 1}, got))
			}
			require.Error(t, imagePlanes(text, imageSize{1, 2, c.planes}, got))
		})
	}
}

// pngChunk is one chunk of a PNG file.
func pngChunk(kind string, data []byte) []byte {
	body := append([]byte(kind), data...)
	text := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), body...)
	return binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(body))
}

// TestGreyWithAlpha: Go's encoder never writes this kind; an RGBA file of the same bytes per two pixels is relabelled.
func TestGreyWithAlpha(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	m.SetNRGBA(0, 0, color.NRGBA{90, 255, 200, 128}) // the grey-alpha pixels (90, 255) and (200, 128)
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	head := []byte{0, 0, 0, 2, 0, 0, 0, 1, 8, 4, 0, 0, 0}
	text := append(append([]byte(pngStart), pngChunk("IHDR", head)...), b.Bytes()[8+25:]...)
	size, err := imageHeader(text)
	require.NoError(t, err)
	require.Equal(t, imageSize{2, 1, 1}, size)
	got := make([]uint8, 2)
	require.NoError(t, imagePlanes(text, size, got))
	require.Equal(t, []uint8{90, 100}, got)
}

// TestJPEG: grey and coloured JPEG images are near what they were made of.
func TestJPEG(t *testing.T) {
	for _, planes := range []int{1, 3} {
		dir := smallImages(t)
		var m image.Image = greyImage(16, 16, 0)
		if planes == 3 {
			flat := image.NewRGBA(image.Rect(0, 0, 16, 16))
			draw.Draw(flat, flat.Rect, image.NewUniform(color.RGBA{200, 90, 30, 255}), image.Point{}, draw.Src)
			m = flat
		}
		for _, class := range []string{"cat", "dog"} {
			for _, part := range imageParts {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, part, class)))
				put(t, jpegText(t, m), dir, part, class, "x.jpg")
				put(t, jpegText(t, m), dir, part, class, "y.JPEG")
				put(t, jpegText(t, m), dir, part, class, "named-wrongly.png")
			}
		}
		data, err := images(dir)
		require.NoError(t, err)
		require.Equal(t, 6, data.Train.Len())
		require.Equal(t, 256*planes, data.Train.Size)
		for i := range 256 {
			for plane := range planes {
				r, g, b, _ := m.At(i%16, i/16).RGBA()
				require.InDelta(t, []uint32{r, g, b}[plane]>>8, data.Train.Pixels[256*plane+i], 3)
			}
		}
	}
}

// TestMixedImages: one coloured image makes all samples three planes.
func TestMixedImages(t *testing.T) {
	dir := smallImages(t)
	put(t, pngText(t, colourImage(3, 2, 60)), dir, "test", "dog", "a.png")
	data, err := images(dir)
	require.NoError(t, err)
	require.Equal(t, 18, data.Train.Size)
	require.Equal(t, []uint8{20, 21, 22, 23, 24, 25, 20, 21, 22, 23, 24, 25, 20, 21, 22, 23, 24, 25}, data.Train.Sample(0))
	require.Equal(t, []uint8{60, 61, 62, 63, 64, 65, 100, 100, 100, 100, 100, 100, 195, 194, 193, 192, 191, 190}, data.Test.Sample(1))
}

// TestImagesAsCIFAR writes random CIFAR-10 records as PNG folders: the same samples come back.
func TestImagesAsCIFAR(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 10))
	dir, folders := t.TempDir(), t.TempDir()
	var labels []uint8
	for i := range 40 {
		labels = append(labels, uint8(i%10)) // the order in which folders are read
	}
	for i, name := range cifarFiles {
		text := cifarText(rng, labels...)
		put(t, text, dir, name)
		part := imageParts[i/5]
		for at := 0; at < len(text); at += cifarRecord {
			m := image.NewRGBA(image.Rect(0, 0, 32, 32))
			for p := range 1024 {
				copy(m.Pix[4*p:], []uint8{text[at+1+p], text[at+1+1024+p], text[at+1+2048+p], 255})
			}
			put(t, pngText(t, m), folders, part, "class "+strconv.Itoa(int(text[at])), name+strconv.Itoa(100000+at)+".png")
		}
	}
	binary, err := Load(Source{Name: "cifar10", Path: dir})
	require.NoError(t, err)
	pictures, err := images(folders)
	require.NoError(t, err)
	require.Equal(t, binary.Train, pictures.Train)
	require.Equal(t, binary.Test, pictures.Test)
	require.Equal(t, binary.Checksum, pictures.Checksum)
}

// TestWrongImages gives the whole text of errors; DIR stands for the folder.
func TestWrongImages(t *testing.T) {
	const remedy = "put images there as train/CLASS/NAME.png and test/CLASS/NAME.png (or .jpg, .jpeg)"
	gone := func(path ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(append([]string{dir}, path...)...)))
		}
	}
	write := func(text []byte, path ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { put(t, text, append([]string{dir}, path...)...) }
	}
	fill := func(t *testing.T, dir string, text []byte) {
		for _, file := range []string{"train/cat/a.PNG", "train/cat/b.png", "train/dog/z.png", "test/cat/a.png", "test/dog/a.png"} {
			put(t, text, dir, file)
		}
	}
	var gifText bytes.Buffer
	require.NoError(t, gif.Encode(&gifText, greyImage(3, 2, 0), nil))
	huge := append([]byte(pngStart), pngChunk("IHDR", []byte{0x10, 0, 0, 0, 0x10, 0, 0, 0, 8, 0, 0, 0, 0})...)
	whole := pngText(t, greyImage(3, 2, 30))
	cases := []struct {
		name    string
		change  func(*testing.T, string)
		damaged bool
		want    string
	}{
		{"no training folder", gone("train"), false, "dataset images: no folder DIR/train: " + remedy},
		{"no test folder", gone("test"), false, "dataset images: no folder DIR/test: " + remedy},
		{"no classes", func(t *testing.T, dir string) {
			gone("train")(t, dir)
			write(whole, "train", "a.png")(t, dir)
		}, false, "dataset images: DIR/train has 0 class folders; want 1 to 256: " + remedy},
		{"too many classes", func(t *testing.T, dir string) {
			for i := range 255 {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "test", strconv.Itoa(i)), 0o755))
			}
		}, false, "dataset images: DIR/test has 257 class folders; want 1 to 256: " + remedy},
		{"class of training only", write(whole, "train", "emu", "a.png"), false,
			"dataset images: class emu is in DIR/train, not in DIR/test; want the same class folders in both"},
		{"class of the test only", write(whole, "test", "emu", "a.png"), false,
			"dataset images: class emu is in DIR/test, not in DIR/train; want the same class folders in both"},
		{"empty class", gone("train", "dog", "z.png"), false, "dataset images: no image in DIR/train/dog: " + remedy},
		{"empty test class", gone("test", "dog", "a.png"), false, "dataset images: no image in DIR/test/dog: " + remedy},
		{"another size", write(pngText(t, greyImage(2, 3, 0)), "test", "dog", "a.png"), false,
			"dataset images: DIR/test/dog/a.png is 2 x 3 pixels, but DIR/train/cat/a.PNG is 3 x 2: scale them to one size"},
		{"one huge", write(huge, "train", "dog", "z.png"), false,
			"dataset images: DIR/train/dog/z.png is 268435456 x 268435456 pixels, but DIR/train/cat/a.PNG is 3 x 2: scale them to one size"},
		{"all huge", func(t *testing.T, dir string) { fill(t, dir, huge) }, false,
			"dataset images: DIR/train/cat/a.PNG is 268435456 x 268435456 pixels x 1 planes; a layer has at most 65536 neurons: scale the images down"},
		{"all large in colour", func(t *testing.T, dir string) { fill(t, dir, pngText(t, colourImage(256, 86, 0))) }, false,
			"dataset images: DIR/train/cat/a.PNG is 256 x 86 pixels x 3 planes; a layer has at most 65536 neurons: scale the images down"},
		{"long file", write(append(bytes.Clone(whole), make([]byte, maxImageFile)...), "train", "dog", "z.png"), false,
			"dataset images: DIR/train/dog/z.png is " + strconv.Itoa(len(whole)+maxImageFile) + " bytes long; no file of its kind is longer than 16777216"},
		{"folder for a file", func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "train/dog/y.png"), 0o755))
		}, false,
			"dataset images: DIR/train/dog/y.png is a folder; want a regular file"},
		{"pipe", func(t *testing.T, dir string) {
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "train/dog/y.png"), 0o644))
		}, false,
			"dataset images: DIR/train/dog/y.png is a pipe; want a regular file"},
		{"broken link", func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "train/dog/y.png")))
		}, false,
			"dataset images: open DIR/train/dog/y.png: no such file or directory"},
		{"empty file", write(nil, "train", "dog", "z.png"), true, "DIR/train/dog/z.png: at byte 0: neither PNG nor JPEG; install or copy it again"},
		{"another format", write(gifText.Bytes(), "test", "cat", "a.png"), true,
			"DIR/test/cat/a.png: at byte 0: neither PNG nor JPEG; install or copy it again"},
		{"file cut in its header", write(whole[:20], "train", "dog", "z.png"), true, "DIR/train/dog/z.png: unexpected EOF; install or copy it again"},
		{"file cut at its end", write(whole[:len(whole)-1], "train", "dog", "z.png"), true, "DIR/train/dog/z.png: unexpected EOF; install or copy it again"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := smallImages(t)
			c.change(t, dir)
			_, err := images(dir)
			kind, prefix := golden.ErrUsage, "wrong input: "
			if c.damaged {
				kind, prefix = golden.ErrDamaged, "damaged data: "
			}
			require.ErrorIs(t, err, kind)
			require.EqualError(t, err, prefix+strings.ReplaceAll(c.want, "DIR", dir))
		})
	}
	_, err := images("")
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "path is missing: "+remedy)
}

// TestDamagedImages cuts a PNG and a JPEG file at every byte, and changes every byte of the PNG file, whose chunks have checksums:
// the file is refused by name.
func TestDamagedImages(t *testing.T) {
	dir := smallImages(t)
	refused := func(what string, at int, text []byte, path ...string) {
		file := put(t, text, append([]string{dir}, path...)...)
		_, err := images(dir)
		require.Error(t, err, "%s %d", what, at)
		require.ErrorContains(t, err, file, "%s %d", what, at)
		if what == "cut" {
			require.ErrorIs(t, err, golden.ErrDamaged, "%s %d", what, at)
		}
	}
	text := pngText(t, greyImage(3, 2, 30))
	for at := range text {
		refused("cut", at, text[:at], "train", "dog", "z.png")
		changed := bytes.Clone(text)
		changed[at] ^= 1 << (at % 8)
		refused("change", at, changed, "train", "dog", "z.png")
	}
	put(t, text, dir, "train", "dog", "z.png")
	text = jpegText(t, greyImage(3, 2, 30))
	for at := range text {
		refused("cut", at, text[:at], "train", "dog", "j.jpg")
	}
	put(t, text, dir, "train", "dog", "j.jpg")
	_, err := images(dir)
	require.NoError(t, err)
}

// TestFirstError: of several damaged files the first in order is named, whatever goroutine comes to its file first.
func TestFirstError(t *testing.T) {
	dir := t.TempDir()
	for i := range 60 {
		text := pngText(t, greyImage(3, 2, i))
		if i%7 == 3 {
			text = text[:len(text)-1]
		}
		put(t, text, dir, "train", "x", strconv.Itoa(100+i)+".png")
	}
	put(t, pngText(t, greyImage(3, 2, 0)), dir, "test", "x", "0.png")
	for range 30 {
		_, err := images(dir)
		require.ErrorContains(t, err, filepath.Join("x", "103.png"))
	}
}

// FuzzImage: nothing panics, and a decoded image fills its planes. Sizes that no layer takes are not decoded, as loadImages
// does not.
func FuzzImage(f *testing.F) {
	f.Add(pngText(f, greyImage(3, 2, 30)))
	f.Add(pngText(f, colourImage(2, 2, 30)))
	f.Add(jpegText(f, greyImage(9, 8, 30)))
	f.Add(jpegText(f, colourImage(9, 8, 30)))
	f.Fuzz(func(t *testing.T, text []byte) {
		size, err := imageHeader(text)
		if err != nil || int64(size.width)*int64(size.height) > golden.MaxNeurons {
			return
		}
		require.Positive(t, size.bytes())
		to := make([]uint8, size.bytes())
		if imagePlanes(text, size, to) != nil || size.planes == 3 {
			return
		}
		wide := make([]uint8, 3*len(to))
		require.NoError(t, imagePlanes(text, imageSize{size.width, size.height, 3}, wide))
		require.Equal(t, to, wide[:len(to)])
		require.Equal(t, to, wide[2*len(to):])
	})
}
