"""What the peers' programs share: timing on random input of MNIST's density, and their command lines."""

import sys
import time

import torch

SAMPLES, POOL = 20, 2000


def samples_per_second(learn, batches):
    """Of learn(x, y, sign): the inputs and one-hot labels of a mini-batch, [neuron][sample]."""
    X = torch.rand(784, POOL) * (torch.rand(784, POOL) < 0.19)
    Y = torch.nn.functional.one_hot(torch.randint(10, (POOL,)), 10).T.float()

    def step(i):
        part = slice((i * SAMPLES) % POOL, (i * SAMPLES) % POOL + SAMPLES)
        learn(X[:, part].contiguous(), Y[:, part].contiguous(), 1 if i % 2 else -1)

    for i in range(20):
        step(i)
    start = time.time()
    for i in range(batches):
        step(i)
    return batches * SAMPLES / (time.time() - start)


def main(check, bench):
    """check FILE..., or what bench takes: NAME BATCHES THREADS."""
    if sys.argv[1] == "check":
        for path in sys.argv[2:]:
            worst = check(path)
            print(f"{path}: largest difference {worst:.1e}")
            if not worst < 1e-9:
                sys.exit(1)
        return
    torch.set_num_threads(int(sys.argv[3]))
    torch.manual_seed(0)
    print(f"{bench(sys.argv[1], int(sys.argv[2])):.1f}")
