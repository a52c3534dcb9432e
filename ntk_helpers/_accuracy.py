"""What `training.steps_to_accuracy` watches for in every step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

#: The test images are looked at in portions of so many, until the share of right ones is clear.
PORTION = 1000
STANDARD_ERRORS = 5


def portions_of(x, y):
    """Inputs (k, p, d) and labels (k, p) in random order, p = PORTION or all; filled up with the label -1."""
    portion = min(PORTION, len(x))
    order = np.random.default_rng(0).permutation(len(x))
    order = np.concatenate([order, np.zeros(-len(x) % portion, int)])
    labels = jnp.where(np.arange(len(order)) < len(x), y[order], -1)
    return x[order].reshape(-1, portion, *x.shape[1:]), labels.reshape(-1, portion)


class Accuracy(NamedTuple):
    """Watches for the first steps at which the batch, and the n test images, exceed an accuracy."""

    threshold: float
    n: int

    def start(self, m):
        return jnp.zeros(m, jnp.int32), jnp.zeros(m, jnp.int32)

    def done(self, memory):
        return (memory[0] > 0) & (memory[1] > 0)

    def update(self, apply, test_data, memory, moving, step, outputs, y, params):
        train, test = memory
        well = jnp.mean(jnp.argmax(outputs, axis=1) == y) > self.threshold
        train = jnp.where(moving & (train == 0) & well, step + 1, train)
        asked = moving & (test == 0)
        return train, jnp.where(asked & self.exceeds(apply, test_data, asked, params), step + 1, test)

    def exceeds(self, apply, test_data, asked, params):
        """Whether the test accuracy exceeds the threshold; anything where it is not asked."""
        x, y = test_data

        def open_(carry):
            portions, right = carry
            seen = jnp.minimum(portions * x.shape[1], self.n)
            # The variance of the mean of `seen` out of n, drawn without replacement, times seen^2.
            share = (self.n - seen) / max(self.n - 1, 1)
            spread = jnp.sqrt(self.threshold * (1 - self.threshold) * seen * share)
            near = jnp.abs(right - self.threshold * seen) <= STANDARD_ERRORS * spread
            return asked & (portions < len(x)) & (near | (portions == 0))

        def look(carry):
            portions, right = carry
            labels = jnp.argmax(apply(params, x[portions]), axis=1)
            return portions + 1, right + jnp.sum(labels == y[portions])

        portions, right = jax.lax.while_loop(open_, look, (0, 0))
        return right > self.threshold * jnp.minimum(portions * x.shape[1], self.n)
