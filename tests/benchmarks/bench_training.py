"""Training a stack of networks against training them one after another with optax, in one run.

    python tests/benchmarks/bench_training.py

The loop is what one writes without the package: a compiled step of `optax.sgd` for one network, called from
Python, batch after batch, network after network. Both do plain gradient descent on batches of the digits with
the same cross-entropy. The rate of the stack's matrix products is put beside that of large products alone.
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

# Depth, width, networks, steps, batch. The last ones are of the size of Figure 4 of paper O.
CASES = [(3, 32, 32, 200, 100), (10, 64, 16, 50, 100), (20, 128, 8, 20, 100)]
LARGE = {"cpu": [(50, 400, 2, 4, 1000)], "gpu": [(50, 400, 40, 50, 1000), (50, 1600, 20, 20, 1000)]}
PRODUCT = {"cpu": 2048, "gpu": 8192}


def flops(net, batch):
    """Of one step of one network: forward once, backward twice, less the gradient of the inputs."""
    products = [k * n_out * n_in for k, n_out, n_in in net.runs]
    return 2 * batch * (3 * sum(products) - products[0])


def product_rate(size):
    """Measured operations per second of float32 products of matrices, on all devices at once."""
    product = jax.jit(lambda a: jnp.matmul(a, a, precision="float32"))
    ones = [jax.device_put(jnp.ones((size, size), jnp.float32), device) for device in jax.devices()]
    jax.block_until_ready([product(a) for a in ones])
    start = time.perf_counter()
    jax.block_until_ready([product(a) for _ in range(10) for a in ones])
    return 20 * size**3 * len(ones) / (time.perf_counter() - start)


def row(depth, width, networks, steps, size, peak):
    digits = data.load("digits")
    x, y = jnp.asarray(digits.x_train), jnp.asarray(digits.y_train)
    net = Network(
        (64, *[width] * (depth - 1), 10), "tanh", sigma_w=1.0, sigma_b=0.1, parameterization="standard"
    )
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
                at = k % (len(x) // size) * size
                if at == 0:
                    order = rng.permutation(len(x))
                picked = order[at : at + size]
                weights, state = step(weights, state, x[picked], y[picked])
            results.append(weights)
        return results

    def stack():
        options = {"learning_rate": 0.01, "steps": steps, "batch_size": size, "key": jax.random.key(0)}
        return train(net, params, x, digits.y_train, loss="cross_entropy", **options).params

    seconds = best_times({"stack": stack, "loop": loop}, turns=2)
    rate = {name: networks * steps / value for name, value in seconds.items()}
    return {
        "depth": depth,
        "width": width,
        "networks": networks,
        "steps": steps,
        "batch": size,
        "stack_network_steps_per_s": _digits(rate["stack"]),
        "loop_network_steps_per_s": _digits(rate["loop"]),
        "stack_over_loop": rate["stack"] / rate["loop"],
        "of_the_product_rate": flops(net, size) * rate["stack"] / peak,
    }


def _digits(rate):
    """A rate to about three digits: an integer where it is large."""
    return round(rate) if rate > 100 else round(rate, 1)


if __name__ == "__main__":
    cores_as_devices()
    machine = environment()
    backend = jax.default_backend()
    peak = product_rate(PRODUCT[backend])
    write(
        "training",
        title="Training many networks",
        environment=machine,
        notes=[
            "Steps of one network per second: `train` with a stack of networks, against a compiled step of"
            " optax called from Python for one network after the other. Plain gradient descent,"
            " cross-entropy, the digits, tanh, float32; compilation not counted. The last column: operations"
            f" per second in the stack's matrix products over {peak / 1e9:.0f} billion, the measured rate of"
            " large float32 products on all devices at once.",
        ],
        rows=[row(*case, peak) for case in CASES + LARGE[backend]],
    )
