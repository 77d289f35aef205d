package simd

import (
	"runtime"
	"sync"
)

// Span is the rows From <= i < To of a matrix.
type Span struct{ From, To int }

// Part is the share of 0 <= i < n that worker of workers does.
func Part(n, worker, workers int) Span {
	return Span{n * worker / workers, n * (worker + 1) / workers}
}

// Spread calls work for parts of n rows, one per processor.
func Spread(n int, work func(Span)) {
	Parallel(min(runtime.GOMAXPROCS(0), n), func(worker, workers int) { work(Part(n, worker, workers)) })
}

// Parallel calls work for all of a number of workers.
func Parallel(workers int, work func(worker, workers int)) {
	if workers <= 1 {
		work(0, 1)
		return
	}
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() { work(worker, workers) })
	}
	wait.Wait()
}
