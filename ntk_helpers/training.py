"""Gradient descent of finite networks, many at a time: one compiled loop for a stack of networks.

A stack is a pytree of parameters whose leaves have a leading axis of length m, one network each:
`jax.vmap(net.init)(jax.random.split(key, m))`. The networks share the data and differ in their parameters,
in their learning rates and in the order in which they see the examples. The stack is spread over all
devices, and over all processes that `jax.distributed` has joined, each of which makes the same calls.
"""

import os
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ntk_helpers import _checks
from ntk_helpers._compilation import usable_cores
from ntk_helpers._descent import Problem, State, rows, runs
from ntk_helpers._precision import numbers

#: The test images are looked at in portions of so many, until the share of right ones is clear.
PORTION, STANDARD_ERRORS = 1000, 5


def cores_as_devices():
    """Make each core of the CPU that is ours a device, so that `train` gives it networks of its own.

    On two cores a stack trains nearly twice as fast. jax fixes its devices when it first computes: call it
    before, jax raises RuntimeError otherwise. A number of devices that is already set stays, by
    JAX_NUM_CPU_DEVICES or XLA_FLAGS.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if jax.config.jax_num_cpu_devices < 0 and "xla_force_host_platform_device_count" not in flags:
        jax.config.update("jax_num_cpu_devices", usable_cores())


class Training(NamedTuple):
    """What `train` returns for m networks; arrays of numpy, but for `state`.

    Attributes
    ----------
    state : the `State` after training, from which another call goes on.
    losses : (m, steps), the loss of the batch of step 0, 1, ... before its update; NaN once it stopped.
    taken : (m,) steps taken.
    diverged : (m,) whether the loss of a batch was infinite or NaN; the network then stopped where it was.
    observations : what `observe` returned, leaves (m, len(at), ...); None without it.
    """

    state: State
    losses: np.ndarray
    taken: np.ndarray
    diverged: np.ndarray
    observations: Any

    @property
    def params(self):
        """The parameters after training, a stack like the one that went in."""
        return self.state.params


def squared(outputs, targets):
    """(1/n) sum_i |f(x_i) - y_i|^2 / 2, the sum over outputs: the loss of `ntk_helpers.dynamics`."""
    return jnp.sum((outputs - targets) ** 2) / (2 * len(outputs))


def cross_entropy(outputs, labels):
    """The mean over examples of -log softmax(f(x_i))[y_i]."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), labels[:, None], axis=1))


LOSSES = {"squared": squared, "cross_entropy": cross_entropy}


@numbers
def train(
    net,
    params,
    x,
    y,
    *,
    learning_rate,
    steps,
    loss="squared",
    batch_size=None,
    key=None,
    optimizer=None,
    observe=None,
    at=(),
) -> Training:
    """Train a stack of m networks on shared data, by (stochastic) gradient descent.

    Parameters
    ----------
    net : `Network`, or a function (params of one network, x (n, d)) -> outputs (n, o).
    params : stack of parameters, leading axis m on every leaf; all of one dtype, in which everything is
        computed (products of float32 matrices keep all their bits on every device). Or the `State` of an
        earlier call with these arguments: training goes on as if it had never stopped.
    x : (n, d) inputs.
    y : (n, o) targets for "squared"; (n,) integer labels for "cross_entropy".
    learning_rate : a number, or (m,) one for each network.
    steps : the number of steps.
    loss : "squared" = (1/n) sum_i |f(x_i) - y_i|^2 / 2 as in `ntk_helpers.dynamics`, "cross_entropy" = the
        mean of -log softmax(f)[label], or a function (outputs, y) -> number. The sums are over the batch.
    batch_size : examples in a batch; all of them in each step if None. The examples are shuffled anew for
        each epoch of n // batch_size steps, for each network on its own; what is left over waits.
    key : jax random key for the shuffling, split into one for each network, or (m,) keys. Needed with
        `batch_size` only; a `State` has its own.
    optimizer : None for plain gradient descent; or an object of optax's form, `init(params)` and
        `update(gradients, state, params)`, that acts before the learning rate (`optax.scale_by_rms()`, ...):
        params <- params - learning_rate * update.
    observe : function (params of one network) -> pytree of arrays.
    at : numbers of steps of this call 0 <= ... <= `steps`, increasing, after which `observe` is called.

    Returns
    -------
    Training
        With .params, the stack after training.

    Raises
    ------
    ValueError
        For an argument that does not fit. A loss that is not finite is no error: see `Training.diverged`.
    """
    problem, state, rate, data = _checked(
        net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer
    )
    if bool(len(at)) != (observe is not None):
        raise ValueError("observe and at belong together: what to observe, and after which steps")
    at = _checks.increasing("at", at, 0, steps) if len(at) else []
    look = jax.jit(jax.vmap(observe or (lambda _: None)))
    m, last, key = len(state.key), int(state.step) + steps, state.key
    passes, seen = runs(problem, state, rate, data, steps, at), []
    del params, state  # the loop has its own copy: where the caller keeps none either, memory is free
    with jax.default_matmul_precision("float32"):
        for count, run in passes:
            if count in at:
                seen.append(rows(m, look(run.params)))
        end = rows(m, run)
    observations = jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *seen) if at else None
    state = State(end.params, end.optimizer, last, key)
    return Training(state, end.losses, end.taken, end.diverged, observations)


class StepsToAccuracy(NamedTuple):
    """What `steps_to_accuracy` returns for m networks, arrays (m,) of numpy.

    Attributes
    ----------
    train : the first step, counted from 1, whose own batch was classified well enough before its update.
    test : the first step after which the test images were. Both are 0 where there was no such step.
    taken, diverged : as in `Training`.
    """

    train: np.ndarray
    test: np.ndarray
    taken: np.ndarray
    diverged: np.ndarray


@numbers
def steps_to_accuracy(
    net,
    params,
    x,
    y,
    x_test,
    y_test,
    *,
    accuracy,
    learning_rate,
    steps,
    batch_size=None,
    key=None,
    loss="cross_entropy",
    optimizer=None,
) -> StepsToAccuracy:
    """Train a stack of m classifiers until each exceeds an accuracy, on its batch and on the test images.

    A network stops when it has both answers, when it diverges, or after `steps`. The test images are looked
    at after every step, in portions of 1,000 in random order, until the share of right ones lies five
    standard errors off `accuracy`, or all are seen: a single look is wrong with probability below 1e-6, and
    near the threshold none is.

    Parameters
    ----------
    net, params, x, learning_rate, batch_size, key, loss, optimizer : as in `train`.
    y, y_test : (n,) and (n_test,) integer labels.
    x_test : (n_test, d) inputs.
    accuracy : the share of right answers to exceed, in [0, 1).
    steps : the number of steps at most.

    Returns
    -------
    StepsToAccuracy

    Raises
    ------
    ValueError
        As in `train`.
    """
    if not 0 <= accuracy < 1:
        raise ValueError(f"accuracy must lie in [0, 1), got {accuracy!r}")
    problem, state, rate, (x, y, _) = _checked(
        net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer
    )
    if np.shape(x_test)[1:] != x.shape[1:] or len(x_test) == 0:
        raise ValueError(f"x_test must have shape (n, {x.shape[1]}) as x, got {np.shape(x_test)}")
    x_test = jnp.asarray(x_test, x.dtype)
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state.params)
    y_test = _checked_targets(y_test, "cross_entropy", jax.eval_shape(problem.apply, one, x_test), "y_test")
    problem = problem._replace(watch=_Accuracy(float(accuracy), len(y_test)))
    m, data = len(state.key), (x, y, _portions(x_test, y_test))
    with jax.default_matmul_precision("float32"):
        *_, (_, run) = runs(problem, state, rate, data, steps)
        return StepsToAccuracy(*rows(m, (*run.memory, run.taken, run.diverged)))


def _portions(x, y):
    """Inputs (k, p, d) and labels (k, p) in random order, p = PORTION or all; filled up with the label -1."""
    portion = min(PORTION, len(x))
    order = np.random.default_rng(0).permutation(len(x))
    order = np.concatenate([order, np.zeros(-len(x) % portion, int)])
    labels = jnp.where(np.arange(len(order)) < len(x), y[order], -1)
    return x[order].reshape(-1, portion, *x.shape[1:]), labels.reshape(-1, portion)


class _Accuracy(NamedTuple):
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


# Checks


def _checked(net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer):
    given = params if isinstance(params, State) else None
    params = params if given is None else given.params
    leaves = jax.tree.leaves(params)
    lengths = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in leaves}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            "params must be a stack, a pytree of arrays with one leading axis of networks, as from "
            f"jax.vmap(net.init)(keys); got leading lengths {sorted(lengths)}"
        )
    (m,) = lengths
    dtypes = {jnp.asarray(leaf).dtype for leaf in leaves}
    if len(dtypes) != 1 or not jnp.issubdtype(*dtypes, jnp.floating):
        raise ValueError(f"params must be of one floating dtype, got {sorted(map(str, dtypes))}")
    (dtype,) = dtypes
    apply = getattr(net, "apply", net)
    if not callable(apply):
        raise ValueError(f"net must be a Network or a function (params, x) -> outputs, got {net!r}")
    _checks.unmasked("x", x)
    _checks.unmasked("y", y)
    if np.ndim(x) < 2 or len(x) == 0:
        raise ValueError(f"x must have shape (n, d) with n >= 1, got {np.shape(x)}")
    x = _checks.finite_inputs("x", jnp.asarray(x, dtype))
    if loss not in LOSSES and not callable(loss):
        raise ValueError(f"loss must be one of {', '.join(map(repr, LOSSES))} or a function, got {loss!r}")
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf)[1:], dtype), params)
    y = _checked_targets(y, loss, jax.eval_shape(apply, one, x))
    steps = _checks.positive_integer("steps", steps)
    with np.errstate(over="ignore"):
        rate = np.asarray(learning_rate).astype(dtype)
    if rate.shape not in ((), (m,)) or not (np.isfinite(rate) & (rate > 0)).all():
        raise ValueError(
            f"learning_rate must be positive and finite in {dtype}, a number or ({m},) of them,"
            f" got {learning_rate!r}"
        )
    if batch_size is not None:
        batch_size = _checks.positive_integer("batch_size", batch_size)
        if batch_size > len(x):
            raise ValueError(
                f"batch_size must be at most n = {len(x)}, got {batch_size}; None takes all examples"
            )
        if key is None and given is None:
            raise ValueError("key is needed to shuffle the examples where batch_size is given")
    if optimizer is not None:
        _check_direction(optimizer, one)
    problem = Problem(apply, LOSSES.get(loss, loss), optimizer, batch_size)
    if given is None:
        inner = None if optimizer is None else jax.vmap(optimizer.init)(params)
        given = State(jax.tree.map(jnp.asarray, params), inner, 0, _key_rows(key, m))
    return problem, given, jnp.broadcast_to(rate, (m,)), (x, y, None)


def _check_direction(optimizer, params):
    """Raises ValueError where the optimizer's updates are to be added, as they point down the gradient."""
    ones = jax.tree.map(lambda leaf: jnp.ones((1,) * leaf.ndim, leaf.dtype), params)
    update, _ = optimizer.update(ones, optimizer.init(ones), ones)
    if sum(float(jnp.sum(leaf)) for leaf in jax.tree.leaves(update)) < 0:
        raise ValueError(
            "optimizer must return a direction, which train multiplies by learning_rate and subtracts; this "
            "one returns updates to be added, with a learning rate of its own: take optax.scale_by_adam() "
            "for optax.adam(...), optax.trace(decay) for optax.sgd(..., momentum=decay)"
        )


def _checked_targets(y, loss, outputs, name="y"):
    if loss == "cross_entropy":
        y = np.asarray(y)
        if y.shape != outputs.shape[:1] or y.dtype.kind not in "iu":
            raise ValueError(
                f"{name} must be integer labels of shape {outputs.shape[:1]} for cross_entropy,"
                f" got {y.dtype} of shape {y.shape}"
            )
        last = outputs.shape[1] - 1
        if y.min() < 0 or y.max() > last:
            raise ValueError(f"{name} must be labels from 0 to {last}, got {y.min()} to {y.max()}")
        return jnp.asarray(y, jnp.int32)
    if loss == "squared":
        if np.shape(y) != outputs.shape:
            raise ValueError(
                f"{name} must have the shape {outputs.shape} of the outputs for squared, got {np.shape(y)};"
                " np.eye(classes)[labels] makes targets of labels"
            )
        return jnp.asarray(y, outputs.dtype)
    return jnp.asarray(y)


def _key_rows(key, m):
    """(m, ...) raw key data, one row a network."""
    if key is None:
        return jnp.zeros((m, 2), jnp.uint32)
    key = _checks.random_key("key", key, ((), (m,)))
    return jax.random.key_data(jax.random.split(key, m) if key.shape == () else key)
