"""Analytic kernels against neural-tangents, in one process: times, memory, and the floor.

    python tests/benchmarks/bench_kernels.py

Each case is run by both in turns: a first call, compilation counted, and then several more, of which the
median counts. Of the turns the best counts, as a busy machine only adds; cases that take long have one turn.
neural-tangents runs its layers one by one or as one compiled program; the faster counts, for first and later
calls apart. A case is skipped where its first call is expected to take more than LIMIT seconds. On two quiet
cores all takes five minutes.
"""

import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from _report import environment, write

from ntk_helpers._compilation import usable_cores
from ntk_helpers._precision import float64
from ntk_helpers.kernels import fcn_kernels
from ntk_helpers.peers import neural_tangents

SIZES, DEPTHS, FEATURES = (100, 500, 2000), (3, 50, 1000), 64
NETWORK = {"activation": "relu", "sigma_w": 1.4, "sigma_b": 0.1}
LIMIT = 180.0
TURNS, BUDGET = 7, 15.0  # at most, and seconds after which a case has no further turn
# neural-tangents unrolls its layers: a program of 50 takes half a minute to compile and is no faster than
# layer by layer; one of 1,000 is far beyond LIMIT. More than 3 are compiled at the smallest size only.
COMPILED_LAYERS = {100: 50, 500: 3, 2000: 3}


def inputs(n):
    return np.random.default_rng(0).standard_normal((n, FEATURES))


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def repeated(function, budget=1.0, most=25, least=3):
    """Times of repeated calls: at least `least`, at most `most`, within about `budget` seconds."""
    times = [seconds(function)]
    while len(times) < least or (len(times) < most and sum(times) < budget):
        times.append(seconds(function))
    return times


def ours(x, depth):
    return lambda: fcn_kernels(x, depth=depth, **NETWORK)


def theirs(x, depth, compiled):
    stax = neural_tangents().stax
    dense = stax.Dense(1, NETWORK["sigma_w"], NETWORK["sigma_b"])
    kernel_fn = stax.serial(dense, *[stax.Relu(), dense] * (depth - 1))[2]
    run = jax.jit(kernel_fn, static_argnums=2) if compiled else kernel_fn

    def call():
        with float64(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kernels = jax.block_until_ready(run(jnp.asarray(x), None, ("nngp", "ntk")))
            return np.asarray(kernels.nngp), np.asarray(kernels.ntk)

    return call


def agreement(x, depth):
    a, b = fcn_kernels(x, depth=depth, **NETWORK), theirs(x, depth, compiled=False)()
    return max(float(np.max(np.abs(u - v)) / np.max(np.abs(v))) for u, v in zip(a, b, strict=True))


def case(n, depth):
    """Both libraries at one size and depth, nothing compiled before: a row of the table."""
    x = inputs(n)
    first, later = {}, {}
    # On a busy machine neural-tangents takes up to 40 ms to dispatch a layer and 100 ns for a pair in it.
    expected = depth * (100e-9 * n * n + 0.04)
    calls = {"ours": ours(x, depth)}
    if expected < LIMIT:
        calls["layers"] = theirs(x, depth, compiled=False)
    if depth <= COMPILED_LAYERS[n]:
        calls["compiled"] = theirs(x, depth, compiled=True)
    begun = time.perf_counter()
    for turn in range(TURNS):
        if turn and time.perf_counter() - begun > BUDGET:
            break
        for name, call in calls.items():
            jax.clear_caches()
            compiling = seconds(call)
            steady = statistics.median(repeated(call, least=3 if compiling < 2 else 1))
            first[name] = min(first.get(name, compiling), compiling)
            later[name] = min(later.get(name, steady), steady)
    row = {"N": n, "depth": depth}
    for kind, times in (("first call", first), ("later", later)):
        mine = times.pop("ours")
        other = min(times.values(), default=None)
        row |= {f"{kind}, s": mine, f"{kind}, neural-tangents, s": other}
        row[f"{kind}, ratio"] = None if other is None else other / mine
    return row


def comparison(rows):
    """Where this package is not faster, or from depth 50 on not ten times on the first call, as text."""

    def sizes(kind, limit, depth=0):
        slow = [row for row in rows if row["depth"] >= depth and (row[f"{kind}, ratio"] or limit) < limit]
        return "; ".join(f"N = {row['N']}, depth {row['depth']}" for row in slow) or "none"

    return (
        f"* Sizes at which neural-tangents is faster: on the first call, {sizes('first call', 1)}; later, "
        f"{sizes('later', 1)}. Sizes from depth 50 on at which the first call is less than ten times faster "
        f"than that of neural-tangents: {sizes('first call', 10, 50)}."
    )


def fit(counts, times):
    """Slope of log(time) against log(count), with its standard error, as text."""
    x, y = np.log(counts), np.log(times)
    coefficients, covariance = np.polyfit(x, y, 1, cov="unscaled")
    residual = y - np.polyval(coefficients, x)
    spread = np.sqrt(np.sum(residual**2) / max(len(x) - 2, 1))
    return f"{coefficients[0]:.2f} ± {spread * np.sqrt(covariance[0, 0]):.2f}"


def scaling():
    """Cost against depth at N = 500 and against N at depth 50, later calls."""
    depths, sizes = (50, 100, 200, 400, 800), (250, 500, 1000, 2000)
    by_depth = fit(depths, [min(repeated(ours(inputs(500), depth), budget=2)) for depth in depths])
    by_size = fit(sizes, [min(repeated(ours(inputs(n), 50), budget=2)) for n in sizes])
    return [
        f"* Time grows with depth as L^({by_depth}) at N = 500, L from {depths[0]} to {depths[-1]},",
        f"  and with the number of inputs as N^({by_size}) at L = 50, N from {sizes[0]} to {sizes[-1]}.",
    ]


def floor(layers=200, side=256):
    """What one pair and layer must cost on one core, measured by plain fused loops on a tile.

    A layer needs of each pair one square root and two polynomials of 20 and 19 terms (angle and lune),
    reads and writes gamma and Theta. The first loop does these and nothing else, the second only reads and
    writes.
    """
    with float64():
        x = jnp.asarray(np.random.default_rng(0).uniform(0.1, 0.9, (side, side)))

        def polynomial(t, terms):
            value = 0.5
            for k in range(1, terms):
                value = value * t + 0.5 / k
            return value

        def evaluate(_, state):
            gamma, theta = state
            s = jnp.sqrt(gamma)
            return s * gamma * polynomial(gamma, 19) * 0.1, theta * s * polynomial(gamma, 20) * 0.1 + gamma

        def move(_, state):
            gamma, theta = state
            return gamma * 0.99, theta + gamma

        result = {}
        for name, body in (("evaluations", evaluate), ("bytes", move)):
            run = jax.jit(lambda x, body=body: jax.lax.fori_loop(0, layers, body, (x, x)))
            times = repeated(lambda run=run: jax.block_until_ready(run(x)), budget=2)
            result[name] = min(times) / (layers * side**2)
        return result


def floor_note(n, depth):
    costs, pairs = floor(), n * (n + 1) / 2 * (depth - 1)
    steady = min(repeated(ours(inputs(n), depth), budget=4))
    share = {name: cost * pairs / usable_cores() / steady for name, cost in costs.items()}
    return (
        f"* A plain fused loop on one core needs {1e9 * costs['evaluations']:.1f} ns for a square root and "
        f"two polynomials for a pair and layer, and {1e9 * costs['bytes']:.1f} ns to read and write its two "
        f"numbers. On all cores that is {share['evaluations']:.0%} (bytes: {share['bytes']:.0%}) of the "
        f"{steady:.2f} s at N = {n}, L = {depth}."
    )


def memory_note(n, depth):
    arrays = peak_memory(n, depth) / (8 * n**2)
    return (
        f"* Peak memory at N = {n}, beyond the inputs: {arrays:.2f} arrays of N^2 float64, with the results; "
        f"the aim, 3 at most, is {'met' if arrays <= 3 else 'missed'}."
    )


def peak_memory(n, depth):
    """Bytes that one call adds to the peak of the resident set, beyond inputs and compiled program (Linux).

    In a process of its own: a first call compiles for these tiles, then the system's peak counter is reset.
    """
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import bench_kernels as b
x = b.inputs({n})
b.ours(x[:512], 3)()
read = lambda name: next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(name)) * 1024
open("/proc/self/clear_refs", "w").write("5")
before = read("VmRSS")
kernels = b.ours(x, {depth})()
print(read("VmHWM") - before)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(output.stdout)


def main():
    start = environment()
    neural_tangents()
    jax.block_until_ready(jax.jit(lambda x: x + 1)(0))  # the compiler's own start belongs to neither
    rows = []
    for depth in DEPTHS:
        for n in SIZES:
            rows.append(case(n, depth))
            print(rows[-1], flush=True)
    notes = [
        f"ReLU, sigma_w = {NETWORK['sigma_w']}, sigma_b = {NETWORK['sigma_b']}, {FEATURES} features, "
        "float64, N inputs with themselves. A ratio above 1 says that this package is faster. Where the "
        f"ratio is empty, neural-tangents should have taken more than {LIMIT:.0f} s. The largest difference "
        f"of the two, relative to the largest entry, is {agreement(inputs(100), 3):.1e} at N = 100, depth 3.",
        "",
        comparison(rows),
        *scaling(),
        floor_note(2000, 50),
        memory_note(4096, 3),
    ]
    write("kernels", title="Analytic kernels", environment=start, notes=notes, rows=rows)


if __name__ == "__main__":
    main()
