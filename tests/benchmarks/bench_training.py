"""Training a stack of networks against training them one after another with optax, in one run.

    python tests/benchmarks/bench_training.py

The loop is what one writes without the package: a compiled step of `optax.sgd` for one network, called from
Python, batch after batch, network after network. Both do plain gradient descent on batches of the digits with
the same cross-entropy. On a GPU the rate of the matrix products is put beside that of a large product alone.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from _report import best_times, environment, write

from ntk_helpers import data
from ntk_helpers.networks import Network
from ntk_helpers.training import cores_as_devices, cross_entropy, train

BATCH = 100
# Depth, width, networks, steps.
CASES = [(3, 32, 32, 200), (10, 64, 16, 50), (20, 128, 8, 20)]
GPU_CASES = [(50, 400, 40, 50), (50, 1600, 20, 20)]


def flops(net):
    """Of one step of one network: forward once, backward twice, less the gradient of the inputs."""
    products = [k * n_out * n_in for k, n_out, n_in in net.runs]
    return 2 * BATCH * (3 * sum(products) - products[0])


def product_rate(size=8192):
    """Measured floating-point operations per second of one float32 product of matrices."""
    a = jnp.ones((size, size), jnp.float32)
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="float32"))
    product(a).block_until_ready()
    start = time.perf_counter()
    for _ in range(10):
        b = product(a)
    b.block_until_ready()
    return 20 * size**3 / (time.perf_counter() - start)


def row(depth, width, networks, steps, peak):
    digits = data.load("digits")
    x, y = jnp.asarray(digits.x_train), jnp.asarray(digits.y_train)
    net = Network((64, *[width] * (depth - 1), 10), "tanh", 1.0, 0.1, parameterization="standard")
    drawn = [net.init(key) for key in jax.random.split(jax.random.key(0), networks)]
    params = jax.tree.map(lambda *leaves: jnp.stack(leaves), *drawn)
    optimizer = optax.sgd(0.01)

    @jax.jit
    def step(weights, state, batch, labels):
        gradient = jax.grad(lambda p: cross_entropy(net.apply(p, batch), labels))(weights)
        update, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, update), state

    def loop():
        rng, results = np.random.default_rng(0), []
        for weights in drawn:
            state, order = optimizer.init(weights), rng.permutation(len(x))
            for k in range(steps):
                at = k % (len(x) // BATCH) * BATCH
                if at == 0:
                    order = rng.permutation(len(x))
                picked = order[at : at + BATCH]
                weights, state = step(weights, state, x[picked], y[picked])
            results.append(weights)
        return results

    def stack():
        options = {"learning_rate": 0.01, "steps": steps, "batch_size": BATCH, "key": jax.random.key(0)}
        return train(net, params, x, digits.y_train, loss="cross_entropy", **options).params

    seconds = best_times({"stack": stack, "loop": loop}, turns=2)
    rate = {name: networks * steps / value for name, value in seconds.items()}
    return {
        "depth": depth,
        "width": width,
        "networks": networks,
        "steps": steps,
        "stack_network_steps_per_s": round(rate["stack"]),
        "loop_network_steps_per_s": round(rate["loop"]),
        "stack_over_loop": rate["stack"] / rate["loop"],
        "of_the_product_rate": None if peak is None else flops(net) * rate["stack"] / peak,
    }


if __name__ == "__main__":
    cores_as_devices()
    machine = environment()
    gpu = jax.default_backend() == "gpu"
    peak = product_rate() if gpu else None
    write(
        "training",
        title="Training many networks",
        environment=machine,
        notes=[
            "Steps of one network per second: `train` with a stack of networks, against a compiled step of"
            " optax called from Python for one network after the other. Plain gradient descent,"
            f" cross-entropy, batches of {BATCH} of the digits, tanh, float32; compilation not counted. The"
            " last column, on a GPU only: operations per second over those of one large float32 product.",
        ],
        rows=[row(*case, peak) for case in CASES + (GPU_CASES if gpu else [])],
    )
