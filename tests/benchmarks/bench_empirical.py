"""`empirical_ntk` against neural-tangents and a plain Jacobian, all in one run, on the same float32 networks.

    python tests/benchmarks/bench_empirical.py [--minutes 6]

Each contender computes the (N, N) mean over outputs of the tangent kernel of a fully connected erf network,
compiled beforehand. A contender that would hold more than MEMORY bytes, or run longer than SECONDS at RATE
operations a second, is left out of a case; the result says so.
"""

import argparse
import itertools
import time

import jax
import jax.numpy as jnp
from _report import best_times, environment, write

from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.networks import Network
from ntk_helpers.peers import neural_tangents

nt = neural_tangents()

AIMS = {(32, 1024, 5, 1): 30, (32, 512, 5, 10): 100}
GRID = sorted(
    itertools.product((32, 256), (256, 1024, 4096), (3, 5, 20), (1, 10)),
    key=lambda case: case[0] * case[1] ** 2 * case[2] * case[3],
)
CASES = [*AIMS, *(case for case in GRID if case not in AIMS)]
MEMORY = 6e9
SECONDS = 10.0
RATE = 1e11  # what the contenders reach on two cores


def contenders(net, params, x):
    """{name: (function, bytes, operations)} for every other way to compute the kernel of `net`."""
    outputs, size = net.widths[-1], sum(leaf.size for leaf in jax.tree.leaves(params))
    peer_apply, peer_params = as_neural_tangents(net, params)
    jacobian_bytes = 8 * len(x) * outputs * size  # the Jacobian and one copy of it
    contraction = 2 * len(x) ** 2 * outputs * size
    pairs = 6 * len(x) ** 2 * outputs * size

    def peer(implementation):
        kernel = jax.jit(
            nt.empirical_ntk_fn(peer_apply, trace_axes=(-1,), vmap_axes=0, implementation=implementation)
        )
        return lambda: kernel(x, None, peer_params)

    plain = jax.jit(lambda params: plain_kernel(net, params, x))
    implementations = nt.NtkImplementation
    return {
        "jacobian_contraction": (peer(implementations.JACOBIAN_CONTRACTION), jacobian_bytes, contraction),
        "ntk_vector_products": (peer(implementations.NTK_VECTOR_PRODUCTS), 8 * size, pairs),
        "plain_jacobian": (lambda: plain(params), jacobian_bytes, contraction),
    }


def as_neural_tangents(net, params):
    """The same network as a `stax` function with its parameters."""
    stax = nt.stax
    dense = [stax.Dense(n, W_std=net.sigma_w, b_std=net.sigma_b) for n in net.widths[1:]]
    layers = [part for layer in dense for part in (layer, stax.Erf())][:-1]
    leaves = [part for weights, biases in net.layers(params) for part in ((weights.T, biases[None]), ())][:-1]
    return stax.serial(*layers)[1], leaves


def plain_kernel(net, params, x):
    """One Jacobian for each input, and their products."""
    jacobians = jax.vmap(lambda row: jax.jacobian(lambda p: net.apply(p, row[None])[0])(params))(x)
    flat = [leaf.reshape(len(x), -1) for leaf in jax.tree.leaves(jacobians)]
    return sum(leaf @ leaf.T for leaf in flat) / net.widths[-1]


def measure(n_inputs, width, depth, outputs):
    """One row of the table."""
    net = Network((*[width] * depth, outputs), "erf", sigma_w=1.5, sigma_b=0.1)
    params = net.init(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (n_inputs, width), "float32")
    others = contenders(net, params, x)
    fit = {
        name: function
        for name, (function, held, operations) in others.items()
        if held <= MEMORY and operations <= RATE * SECONDS
    }
    seconds = best_times({"ours": lambda: empirical_ntk(net, params, x)} | fit) if fit else {}
    ours = seconds.get("ours")
    best = min((seconds[name] for name in fit), default=None)
    reference = next(iter(fit.values()))() if fit else None
    kernel = empirical_ntk(net, params, x) if fit else None
    difference = float(jnp.abs(kernel - reference).max() / jnp.abs(reference).max()) if fit else None
    row = {"N": n_inputs, "n": width, "L": depth, "o": outputs, "ours_ms": ours and 1e3 * ours}
    row |= {f"{name}_ms": 1e3 * seconds[name] if name in fit else None for name in others}
    left_out = "; ".join(name for name in others if name not in fit)
    return row | {
        "best_over_ours": best / ours if fit else None,
        "aim": AIMS.get((n_inputs, width, depth, outputs)),
        "relative_difference": difference,
        "left_out": left_out or None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6.0, help="no case is begun after this time")
    minutes = parser.parse_args().minutes
    before, start, rows = environment(), time.monotonic(), []
    for case in CASES:
        if time.monotonic() - start > 60 * minutes:
            break
        rows.append(measure(*case))
        print(rows[-1], flush=True)
        jax.clear_caches()
    skipped = [str(case) for case in CASES[len(rows) :]]
    notes = [
        "Milliseconds, the fastest run of three turns of at least 0.4 s each, compilation not counted. "
        "`best_over_ours` is the fastest of the others over ours.",
        "",
        f"Left out of a case: what would hold over {MEMORY / 1e9:.0f} GB or run for over {SECONDS:.0f} s. "
        "The other two implementations of neural-tangents (structured derivatives, and auto, which tries "
        "them) do not run on this JAX.",
        "",
        f"Cases (N, n, L, o) not begun within {minutes:g} minutes: {', '.join(skipped) or 'none'}.",
    ]
    write("empirical", title="The empirical tangent kernel", environment=before, notes=notes, rows=rows)


if __name__ == "__main__":
    main()
