"""docs/ARITHMETIC.md as a program: a whole fixed-point training of CorInfoMax, in exact rational numbers, from the page alone.

    python3 docs/arithmetic.py SETTINGS.json

reads the keys of a network file whose rule is corinfomax (as JSON; sparse, normalize, decay.then and formats may be left out),
with "samples": a list of [pixels, label], "limit" and "float_epochs", and prints as JSON

    weights    the initial float64 values of every matrix, as hexadecimal floats, row by row
    orders     the order of the samples in every epoch
    negative   for every mini-batch of the run, whether beta is negative
    factors    what learning rates are multiplied by, as hexadecimal floats, in epochs 0 .. float_epochs - 1
    synapses   the raw words of every matrix after learning.epochs, row by row
    correct    by epoch: samples that had their label for their class, each before its update

It is slow and short. It needs Python 3 and nothing else, and shares nothing with the Go model, which a test holds to it
(TestTrainingFromThePage). The other rules are not in it.
"""

import json
import math
import re
import sys
from fractions import Fraction

# ---------------------------------------------------------------------------------------------- Words


class Type:
    """A type ap_fixed<W,I,Q,O>; its values are Fractions."""

    def __init__(self, text):
        kind, arguments = re.fullmatch(r"(ap_u?fixed)<(.*)>", text).groups()
        arguments = arguments.split(",")
        width, integer, self.quantization, self.overflow = arguments + ["TRN", "WRAP"][len(arguments) - 2:]
        self.width = int(width)
        self.fraction = self.width - int(integer)
        self.low, self.high = 0, 2**self.width - 1
        if kind == "ap_fixed":
            self.low, self.high = -(2 ** (self.width - 1)), 2 ** (self.width - 1) - 1

    def round(self, v, bits=None, word=0):
        """round[T](v). STOCHASTIC wants the fraction bits that v is written with and a random word, and is RND without."""
        v = Fraction(v) * Fraction(2) ** self.fraction
        floor, half = math.floor(v), Fraction(1, 2)
        up, down = math.floor(v + half), math.ceil(v - half)  # the nearest; they differ on ties
        raw = {
            "TRN": floor,
            "TRN_ZERO": int(v),
            "RND": up,
            "RND_MIN_INF": down,
            "RND_ZERO": down if v > 0 else up,
            "RND_INF": up if v > 0 else down,
            "RND_CONV": up if up % 2 == 0 else down,
            "STOCHASTIC": up,
        }[self.quantization]
        if self.quantization == "STOCHASTIC" and bits is not None:
            drop = bits - self.fraction
            raw = floor
            if drop > 0:
                r = word * 2 ** (drop - 32) if drop > 32 else word >> (32 - drop)
                raw = math.floor(v + Fraction(r, 2**drop))
        symmetric = -self.high if self.overflow == "SAT_SYM" and self.low < 0 else self.low
        self.overflowed = not symmetric <= raw <= self.high  # of the last value that was rounded
        if self.overflowed:
            if self.overflow == "WRAP":
                raw = (raw - self.low) % 2**self.width + self.low
            elif self.overflow == "SAT_ZERO":
                raw = 0
            else:
                raw = symmetric if raw < symmetric else self.high
        return Fraction(raw) / Fraction(2) ** self.fraction

    def raw(self, v):
        word = v * Fraction(2) ** self.fraction
        assert word.denominator == 1
        return word.numerator


# ---------------------------------------------------------------------------------------------- Types


def fit(bits, m, signed=True, quantization="RND"):
    integer = math.frexp(m)[1] + signed  # floor(log2 m) + 1 and the sign
    while True:
        t = Type(f"ap_{'' if signed else 'u'}fixed<{bits},{integer},{quantization},SAT>")
        t.round(m)
        if not t.overflowed:
            return t
        integer += 1  # m was rounded up to a power of two


class Network:
    def __init__(self, file):
        assert file["rule"] == "corinfomax"
        own = file["corinfomax"]
        self.layers = file["layers"]
        self.K = len(self.layers) - 1
        self.epsilon, self.lam, self.leak, self.lateral = float(own["epsilon"]), float(own["lambda"]), float(own["leak"]), own["lateral"]
        self.gamma = (1 - self.lam) / self.lam
        normalize = file["dataset"].get("normalize", {"mean": [], "deviation": []})
        self.planes = [(float(m), float(d)) for m, d in zip(normalize["mean"], normalize["deviation"])]
        sparse = own.get("sparse", {"layers": [], "nu": []})
        self.nu = dict(zip(sparse["layers"], map(float, sparse["nu"])))
        self.settling, self.learning, self.seed = file["settling"], file["learning"], file["seed"]
        self.N, self.beta = self.learning["batch"], float(self.learning["beta"])
        self.two_sided = self.learning["contrast"] != "free"  # third, centred: phases of both signs are compared
        self.formats = file.get("formats", {})
        self.types = {}

    def type(self, kind, k=None):
        """The type of a tensor: the file's, with its index before without, else the page's default."""
        name = kind if k is None else f"{kind}{k}"
        if name not in self.types:
            text = self.formats.get(name) or self.formats.get(kind)
            self.types[name] = Type(text) if text else self.default(kind, k)
        return self.types[name]

    def default(self, kind, k):
        n, eps, beta, gamma, N = self.layers, self.epsilon, self.beta, self.gamma, self.N
        sparse = k in self.nu
        m = 2 if sparse else 1
        if kind == "x":
            low, high = min(self.input(0, p) for p in range(n[0])), max(self.input(255, p) for p in range(n[0]))
            return fit(10, max(-low, high)) if low < 0 else Type("ap_ufixed<9,1,RND,SAT>")
        if kind == "r":
            return Type("ap_ufixed<14,4,RND,SAT>" if sparse else "ap_ufixed<11,1,RND,SAT>")
        if kind in ("excess", "qu", "q", "nu"):
            s = max(n[k], 15)
            iterations = self.settling["free_iterations"] + self.settling["nudged_iterations"] * (2 if self.two_sided else 1)
            q = min(self.nu[k] * iterations * s, 30 / eps)
            return {"excess": fit(18, s), "qu": fit(24, q), "q": fit(18, q, False), "nu": fit(17, self.nu[k], False)}[kind]
        if kind in ("W", "F"):
            return fit(16, 1.5, quantization="STOCHASTIC")
        if kind == "C":
            return fit(16, 2 * gamma, quantization="STOCHASTIC")
        if kind == "eta":
            return fit(17, max(self.settling["step"]["start"], self.settling["step"]["inference"]), False)
        if kind == "coefficient":
            return fit(18, max(1 / eps, self.leak + beta, self.leak + 2 / eps, self.leak + 1 / eps + 1))
        if kind == "rate":
            mus = self.learning["feedforward"] + self.learning["feedback"]
            return fit(17, max([1 / (self.lam * N)] + [mu / (beta * N) for mu in mus]), False)
        if kind == "gamma":
            return fit(17, gamma, False)
        return fit(18, {"u": 7 * m, "current": 15 * m, "lateral": 8 * gamma, "drive": 15 * m / eps, "e": 7 * m, "d": 7 * m,
                        "c": 8 * gamma, "dW": N, "dF": N, "dC": 8 * gamma * gamma * N}[kind])

    def input(self, value, place):
        """What a pixel's value stands for at its place in the sample."""
        v = value / 255
        if self.planes:
            mean, deviation = self.planes[place // (self.layers[0] // len(self.planes))]
            v = (v - mean) / deviation
        return v

    def matrices(self):
        """Kind, index, rows and columns, in the order of the tensors' numbers."""
        n, K = self.layers, self.K
        return ([("W", k, n[k + 1], n[k]) for k in range(K)] + [("F", k, n[k], n[k + 1]) for k in range(1, K)] +
                [("C", k, n[k], n[k]) for k in range(1, K + 1) if self.lateral])


# ---------------------------------------------------------------------------------------------- What the seed draws

M64 = 2**64 - 1


class Generator:
    def __init__(self, seed, stream):
        self.state = seed << 64 | stream

    def word(self):
        self.state = (self.state * 0x2360ED051FC65DA44385DF649FCCF645 + 0x5851F42D4C957F2D14057B7EF767814F) % 2**128
        h, low = self.state >> 64, self.state & M64
        h ^= h >> 32
        h = h * 0xDA942042E4DD58B5 & M64
        h ^= h >> 48
        return h * (low | 1) & M64

    def below(self, n):
        if n & (n - 1) == 0:
            return self.word() % n
        while True:
            product = self.word() * n
            if product & M64 >= 2**64 % n:
                return product >> 64


def initial(network):
    """The float64 values of every matrix, by rows."""
    values = {}
    for number, (kind, k, rows, columns) in enumerate(network.matrices()):
        g = Generator(network.seed, number)
        limit = math.sqrt(6 / (rows + columns))
        v = [[(2 * (g.word() % 2**53 / 2**53) - 1) * limit for _ in range(columns)] for _ in range(rows)]
        if kind == "C":
            b = [[0.0] * rows for _ in range(rows)]
            for i in range(rows):
                for j in range(rows):
                    for t in range(rows):
                        b[i][j] += v[i][t] * v[j][t]
            v = [[network.gamma * x for x in row] for row in b]
        values[kind, k] = v
    return values


def order(network, epoch, n):
    g, p = Generator(network.seed, 2**32 + epoch), list(range(n))
    for i in range(n - 1, 0, -1):
        j = g.below(i + 1)
        p[i], p[j] = p[j], p[i]
    return p


def negative(network, step):
    return bool(network.learning["random_sign"]) and Generator(network.seed, 2**33 + step).word() >= 2**63


def factor(network, epoch):
    decay = network.learning["decay"]
    base = float(decay["factor"])
    for stage in decay.get("then", []):
        if epoch >= stage["from"]:
            base = float(stage["factor"])
    power, p = epoch // max(decay["every"], 1), 1.0
    while power > 0:
        if power % 2 == 1:
            p *= base
        base *= base
        power //= 2
    return p


# ---------------------------------------------------------------------------------------------- Random words


def random_word(seed, update, tensor, i, j):
    def ror(x, n):
        return (x >> n | x << (16 - n)) & 0xFFFF

    k = [seed & 0xFFFF]
    l = [seed >> 16, update & 0xFFFF, (tensor & 0xFF) << 8 | update >> 16 & 0xFF]
    for m in range(15):
        l.append((k[m] + ror(l[m], 7)) % 2**16 ^ m)
        k.append(ror(k[m], 14) ^ l[m + 3])
    x, y = i, j
    for m in range(8, 16):
        x = (ror(x, 7) + y) % 2**16 ^ k[m]
        y = ror(y, 14) ^ x
    return x * 65536 + y


# ---------------------------------------------------------------------------------------------- Settling


def times(matrix, vector):
    return [sum((w * x for w, x in zip(row, vector) if x), Fraction(0)) for row in matrix]


class Machine:
    def __init__(self, network):
        self.net, self.held, self.update = network, [], 0
        self.m = {key: [[network.type(*key).round(x) for x in row] for row in rows] for key, rows in initial(network).items()}

    def constant(self, kind, value, k=None):
        return self.net.type(kind, k).round(Fraction(value))

    def sums(self, k):
        """basal, feedback and lateral of layer k."""
        K, r = self.net.K, self.r
        feedback = times(self.m["F", k], r[k + 1]) if k < K else [Fraction(0)] * self.net.layers[k]
        lateral = times(self.m["C", k], r[k]) if self.net.lateral else [Fraction(0)] * self.net.layers[k]
        return times(self.m["W", k - 1], r[k - 1]), feedback, lateral

    def eta(self, s):
        step = self.net.settling["step"]
        start, stop = float(step["start"]), float(step["stop"])
        if step["rule"] == "divide_by_loop_index":
            return max(start / (s + 1), stop)
        if step["rule"] == "divide_by_slow_loop_index":
            return max(start / (1 + s * float(step["decay"])), stop)
        return start

    def phase(self, iterations, beta, y):
        n = self.net
        self.u, self.qu = [list(r) for r in self.r], dict(self.q)
        for s in range(iterations):
            eta = self.constant("eta", self.eta(s))
            still = [self.iterate(k, eta, beta, y) for k in range(1, n.K + 1)]
            if all(still) and n.settling["early_end"]:
                return

    def iterate(self, k, eta, beta, y):
        """One iteration of one layer; tells whether it left potentials and interneuron as they were."""
        n, eps = self.net, self.net.epsilon
        kc = self.constant("coefficient", 1 / eps)
        if k < n.K:
            kl, kr, ky, ku = 2, self.constant("coefficient", n.leak), 0, self.constant("coefficient", n.leak + 2 / eps)
        else:
            kl, kr = 1, self.constant("coefficient", n.leak - beta)
            ky, ku = self.constant("coefficient", beta), self.constant("coefficient", n.leak + 1 / eps + 1)
        still, one = True, Fraction(1)
        top = n.type("u", k)
        if top.high < Fraction(2) ** top.fraction:  # 1 is out of its range
            one = Fraction(top.high) / Fraction(2) ** top.fraction
        elif top.fraction < 0:
            one = Fraction(0)
        u, r = [], []
        for i, (basal, feedback, lateral) in enumerate(zip(*self.sums(k))):
            current = n.type("current", k).round(basal + feedback)
            lat = n.type("lateral", k).round(lateral) if n.lateral else 0
            label = 1 if k == n.K and i == y else 0
            q = self.q.get(k, 0)
            drive = n.type("drive", k).round(kc * current + kl * lat + kr * self.r[k][i] + ky * label - ku * self.u[k][i] - q)
            u.append(top.round(self.u[k][i] + eta * drive))
            still = still and u[i] == self.u[k][i] and not top.overflowed
            clipped = max(u[i], Fraction(0))
            r.append(n.type("r", k).round(clipped if k in n.nu else min(clipped, one)))
        self.u[k], self.r[k] = u, r
        if k in n.nu:
            nu = self.constant("nu", n.nu[k], k)
            excess = n.type("excess", k).round(sum(r) - 1 + self.q[k] - self.qu[k])
            qu = n.type("qu", k).round(self.qu[k] + nu * excess)
            q = n.type("q", k).round(max(qu, Fraction(0)))
            still = still and qu == self.qu[k] and q == self.q[k] and not n.type("qu", k).overflowed
            self.qu[k], self.q[k] = qu, q
        return still

    # ------------------------------------------------------------------------------------------ What learning keeps

    def keep(self, role, later):
        n, kept = self.net, self.current[role]
        kept["r"] = [list(r) for r in self.r]
        for k in range(1, n.K + 1):
            basal, feedback, lateral = self.sums(k)
            if k >= 2:
                kept["e", k] = [n.type("e", k).round(a - b) for a, b in zip(self.r[k], basal)]
            elif later:
                earlier = self.current["minus" if role == "plus" else "plus"]["r"][1]
                kept["e", 1] = [n.type("e", 1).round(a - b) for a, b in zip(self.r[1], earlier)]
            if k < n.K:
                kept["d", k] = [n.type("d", k).round(a - b) for a, b in zip(self.r[k], feedback)]
            if role == "plus" and n.lateral:
                kept["c", k] = [n.type("c", k).round(a) for a in lateral]

    def learn(self, pixels, label, negative, rates):
        """One sample; the last of a mini-batch updates. The class after the free phase."""
        n = self.net
        self.current = {"minus": {}, "plus": {}, "b": -1 if negative else 1}
        self.r = [[n.type("x").round(n.input(p, place)) for place, p in enumerate(pixels)]] + [[Fraction(0)] * size for size in n.layers[1:]]
        self.q = {k: Fraction(0) for k in n.nu}
        beta, nudged = self.current["b"] * n.beta, n.settling["nudged_iterations"]
        self.phase(n.settling["free_iterations"], 0, label)
        answer = self.r[n.K].index(max(self.r[n.K]))
        if n.two_sided:
            free = [list(r) for r in self.r], dict(self.q)
            self.phase(nudged, beta, label)
            self.keep("plus", False)
            if n.learning["contrast"] == "centred":
                self.r, self.q = free
            self.phase(nudged, -beta, label)
            self.keep("minus", True)
        else:
            self.keep("minus", False)
            self.phase(nudged, beta, label)
            self.keep("plus", True)
        self.held.append(self.current)
        if len(self.held) == n.N:
            self.apply(rates)
            self.held, self.update = [], self.update + 1
        return answer

    # ------------------------------------------------------------------------------------------ Updates

    def rates(self, epoch):
        n, f = self.net, factor(self.net, epoch)
        rates = {}
        for kind, first, mus in (("W", 0, n.learning["feedforward"]), ("F", 1, n.learning["feedback"])):
            for k, mu in enumerate(mus, first):
                mu *= f
                if n.two_sided:
                    mu /= 2
                rates[kind, k] = self.constant("rate", mu / (n.beta * n.N))
        for k in range(1, n.K + 1 if n.lateral else 1):
            rates["C", k] = self.constant("rate", 1 / (n.lam * n.N))
        return rates

    def products(self, kind, k):
        """Sign, postsynaptic and presynaptic factors whose products an update sums."""
        two = self.net.two_sided
        for s in self.held:
            plus, minus, b = s["plus"], s["minus"], s["b"]
            if kind == "C":
                yield 1, plus["c", k], plus["c", k]
            elif kind == "W" and k == 0:
                later = minus if two else plus
                yield -b if two else b, later["e", 1], later["r"][0]
            elif kind == "W":
                yield b, plus["e", k + 1], plus["r"][k]
                yield -b, minus["e", k + 1], minus["r"][k]
            else:
                yield b, plus["d", k], plus["r"][k + 1]
                yield -b, minus["d", k], minus["r"][k + 1]

    def apply(self, rates):
        n = self.net
        gamma = self.constant("gamma", n.gamma)
        for tensor, (kind, k, rows, columns) in enumerate(n.matrices()):
            stored, change, m = n.type(kind, k), n.type("d" + kind, k), self.m[kind, k]
            bits = max(stored.fraction, n.type("rate").fraction + change.fraction)
            if kind == "C":
                bits = max(bits, n.type("gamma").fraction + stored.fraction)
            products = list(self.products(kind, k))
            for j in range(columns):
                if kind != "C" and not any(pre[j] and any(post) for _, post, pre in products):
                    continue
                for i in range(rows):
                    step = rates[kind, k] * change.round(sum(b * post[i] * pre[j] for b, post, pre in products))
                    a, b, new = i, j, m[i][j] + step
                    if kind == "C":
                        a, b, new = max(i, j), min(i, j), m[i][j] + gamma * m[i][j] - step
                    m[i][j] = stored.round(new, bits, random_word(n.seed, self.update % 2**24, tensor, a, b))


# ---------------------------------------------------------------------------------------------- A training


def train(file):
    n = Network(file)
    machine, samples = Machine(n), file["samples"]
    use = min(file["limit"], len(samples)) if file["limit"] else len(samples)
    orders, negatives, correct = [], [], []
    for epoch in range(n.learning["epochs"]):
        rates, right = machine.rates(epoch), 0
        orders.append(order(n, epoch, use))
        for first in range(0, use - use % n.N, n.N):
            negatives.append(negative(n, machine.update))
            for sample in orders[-1][first:first + n.N]:
                pixels, label = samples[sample]
                right += machine.learn(pixels, label, negatives[-1], rates) == label
        correct.append(right)
    return {
        "weights": {f"{kind}{k}": [v.hex() for row in rows for v in row] for (kind, k), rows in initial(n).items()},
        "orders": orders,
        "negative": negatives,
        "factors": [factor(n, epoch).hex() for epoch in range(file["float_epochs"])],
        "synapses": {f"{kind}{k}": [n.type(kind, k).raw(v) for row in rows for v in row] for (kind, k), rows in machine.m.items()},
        "correct": correct,
    }


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as settings:
        json.dump(train(json.load(settings)), sys.stdout)
