"""Gradient descent of finite networks, many at a time: one compiled program for a stack of networks.

A stack is a pytree of parameters whose leaves have a leading axis of length m, one network each:
`jax.vmap(net.init)(jax.random.split(key, m))`. The networks share the data and differ in their parameters,
in their learning rates and in the order in which they see the examples. The stack is spread over all
devices, and over all processes that `jax.distributed` has joined, each of which makes the same calls.
"""

import functools
import hashlib
import json
import operator
import os
import time
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ntk_helpers import _checks
from ntk_helpers._compilation import jit_with, usable_cores
from ntk_helpers._precision import own_rules

AXIS = "networks"
#: Bytes of parameters that a core's own cache holds: on a CPU, networks take steps in groups of this size.
CACHE = 2**20
STATIC = {"static_argnums": (0, 1, 2), "donate_argnums": 3}
LEAST_MEMORY = {"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED"}
#: Seconds between checkpoints.
CHECKPOINT_SECONDS = 60


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
    """What `train` returns for m networks; arrays of numpy, but for `params`.

    params: the parameters after training, a stack like the one that went in.
    losses: (m, steps), the loss of the batch of step 0, 1, ... before its update; NaN once it stopped.
    taken: (m,) steps taken.
    diverged: (m,) whether the loss of a batch was infinite or NaN; the network then stopped where it was.
    observations: what `observe` returned, leaves (m, len(at), ...); None without it.
    """

    params: Any
    losses: np.ndarray
    taken: np.ndarray
    diverged: np.ndarray
    observations: Any


def squared(outputs, targets):
    """(1/n) sum_i |f(x_i) - y_i|^2 / 2, the sum over outputs: the loss of `ntk_helpers.dynamics`."""
    return jnp.sum((outputs - targets) ** 2) / (2 * len(outputs))


def cross_entropy(outputs, labels):
    """The mean over examples of -log softmax(f(x_i))[y_i]."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(outputs), labels[:, None], axis=1))


LOSSES = {"squared": squared, "cross_entropy": cross_entropy}


@own_rules()
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
    progress=False,
    checkpoint=None,
    devices=None,
) -> Training:
    """Train a stack of m networks on shared data, by (stochastic) gradient descent.

    Parameters
    ----------
    net : `Network`, or a function (params of one network, x (n, d)) -> outputs (n, o).
    params : stack of parameters, leading axis m on every leaf; all of one dtype, in which everything is
        computed (products of float32 matrices keep all their bits on every device).
    x : (n, d) inputs.
    y : (n, o) targets for "squared"; (n,) integer labels for "cross_entropy".
    learning_rate : a number, or (m,) one for each network.
    steps : the number of steps.
    loss : "squared" = (1/n) sum_i |f(x_i) - y_i|^2 / 2 as in `ntk_helpers.dynamics`, "cross_entropy" = the
        mean of -log softmax(f)[label], or a function (outputs, y) -> number. The sums are over the batch.
    batch_size : examples in a batch; all of them in each step if None. The examples are shuffled anew for
        each epoch of n // batch_size steps, for each network on its own; what is left over waits.
    key : jax random key for the shuffling, split into one for each network, or (m,) keys. Needed with
        `batch_size` only.
    optimizer : None for plain gradient descent; or an object of optax's form, `init(params)` and
        `update(gradients, state, params)`, that acts before the learning rate (`optax.scale_by_rms()`, ...):
        params <- params - learning_rate * update.
    observe : function (params of one network) -> pytree of arrays.
    at : numbers of steps 0 <= ... <= `steps`, increasing, after which `observe` is called.
    progress : whether to show a progress bar on stderr.
    checkpoint : a file in which the state of training is kept. Where it exists, training goes on from there,
        with the result of an uninterrupted run; delete it once the result is safe.
    devices : the devices to use; all of them if None.

    Returns
    -------
    Training
        .params, .losses (m, steps), .taken (m,), .diverged (m,), .observations leaves (m, len(at), ...).

    Raises
    ------
    ValueError
        For an argument that does not fit, or a checkpoint that is damaged or of another training. A loss that
        is not finite is no error: see `Training.diverged`.
    OSError
        If a checkpoint cannot be written; the one before is kept.
    """
    problem, state, data = _checked(
        net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer, watch=None
    )
    at = _checked_at(at, steps, observe)
    look = None if observe is None else jax.jit(jax.vmap(observe))
    with jax.default_matmul_precision("float32"):
        stack = _Stack(problem, state, data, steps, look, at, devices)
        if checkpoint is not None:
            stack.keep(checkpoint, _configuration(problem, state, data, observe=_named(observe), at=at))
        m = len(state.active)
        del params, state  # the stack has its own copy: where the caller keeps none either, memory is free
        stack.finish(progress)
        return Training(
            jax.tree.map(lambda leaf: leaf[:m], stack.whole(stack.work.params)),
            stack.results.losses,
            stack.results.taken,
            stack.results.diverged,
            jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *stack.seen) if at else None,
        )


class StepsToAccuracy(NamedTuple):
    """What `steps_to_accuracy` returns for m networks, arrays (m,) of numpy.

    train: the first step, counted from 1, whose own batch was classified well enough before its update.
    test: the first step after which the test images were. Both are 0 where there was no such step.
    taken, diverged: as in `Training`.
    """

    train: np.ndarray
    test: np.ndarray
    taken: np.ndarray
    diverged: np.ndarray


@own_rules()
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
    progress=False,
    checkpoint=None,
    devices=None,
) -> StepsToAccuracy:
    """Train a stack of m classifiers until each exceeds an accuracy, on its batch and on the test images.

    A network stops when it has both answers, when it diverges, or after `steps`; once three in four have
    stopped, the rest go on as a smaller stack. The test images are looked at after every step, in portions
    of 1,000 in random order, until the share of right ones lies five standard errors off `accuracy`, or all
    are seen: a single look is wrong with probability below 1e-6, and near the threshold none is.

    Parameters
    ----------
    net, params, x, learning_rate, batch_size, key, loss, optimizer, progress, checkpoint, devices : as in
        `train`.
    y, y_test : (n,) and (n_test,) integer labels.
    x_test : (n_test, d) inputs.
    accuracy : the share of right answers to exceed, in [0, 1).
    steps : the number of steps at most.

    Raises ValueError and OSError as `train` does.
    """
    if not 0 <= accuracy < 1:
        raise ValueError(f"accuracy must lie in [0, 1), got {accuracy!r}")
    watch = _Accuracy(float(accuracy), len(y_test))
    problem, state, (x, y, _) = _checked(
        net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer, watch=watch
    )
    if np.shape(x_test)[1:] != x.shape[1:] or len(x_test) == 0:
        raise ValueError(f"x_test must have shape (n, {x.shape[1]}) as x, got {np.shape(x_test)}")
    one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state.params)
    x_test = jnp.asarray(x_test, x.dtype)
    y_test = _checked_targets(y_test, "cross_entropy", jax.eval_shape(problem.apply, one, x_test), "y_test")
    data = x, y, _portions(x_test, y_test)
    with jax.default_matmul_precision("float32"):
        stack = _Stack(problem, state, data, steps, None, [], devices)
        if checkpoint is not None:
            stack.keep(checkpoint, _configuration(problem, state, data))
        stack.finish(progress)
    return StepsToAccuracy(*stack.results.memory, stack.results.taken, stack.results.diverged)


PORTION = 1000
STANDARD_ERRORS = 5


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


# The compiled program


class _Problem(NamedTuple):
    """What the program depends on besides shapes.

    optimizer, batch_size: as in `train`. watch: None, or an object with `start(m)`, `update(...)` and
    `done(memory)`, see `_step`.
    """

    apply: Callable
    loss: Callable
    optimizer: Any
    batch_size: int | None
    watch: Any


class _Results(NamedTuple):
    """What is kept of a network that has stopped, leading axis of networks."""

    losses: Any
    taken: Any
    diverged: Any
    memory: Any


class _State(NamedTuple):
    """A stack in training: everything but `step`, a number, has the leading axis of networks."""

    step: Any
    params: Any
    optimizer: Any
    rate: Any
    key: Any
    active: Any
    results: _Results


@functools.lru_cache(maxsize=2)
def _advance(large):
    """`_spread_steps` compiled; where networks are `large`, in the order that takes least memory on a CPU.

    The usual order computes all gradients before it changes a weight; this one changes the weights of a layer
    as soon as their gradient is there, while it is in the cache.
    """
    return jit_with(LEAST_MEMORY if large else {}, _spread_steps, **STATIC)


def _spread_steps(problem, mesh, group, state, data, until):
    """Take steps up to number `until`, or until no network is active; uses `state` up."""
    spread = _State(PartitionSpec(), *[PartitionSpec(AXIS)] * (len(_State._fields) - 1))
    everywhere = PartitionSpec()
    return jax.shard_map(
        functools.partial(_groups, problem, group),
        mesh=mesh,
        in_specs=(spread, everywhere, everywhere),
        out_specs=spread,
        check_vma=False,
    )(state, data, until)


def _groups(problem, group, state, data, until):
    """The steps of the networks on one device, `group` of them at a time."""
    slice_, update = jax.lax.dynamic_slice_in_dim, jax.lax.dynamic_update_slice_in_dim

    def take(k, rows):
        start = jax.tree.map(lambda leaf: slice_(leaf, k * group, group), rows)
        end = _steps(problem, start._replace(step=state.step), data, until)._replace(step=None)
        return jax.tree.map(lambda leaf, new: update(leaf, new, k * group, 0), rows, end)

    rows = jax.lax.fori_loop(0, len(state.active) // group, take, state._replace(step=None))
    return rows._replace(step=jnp.maximum(state.step, until))


def _steps(problem, state, data, until):
    axes = _network_axes(state)
    x, y, test_data = data
    size = problem.batch_size
    epoch_steps = 1 if size is None else len(x) // size

    def shuffled(epoch):
        def one(key):
            return jax.random.permutation(jax.random.fold_in(jax.random.wrap_key_data(key), epoch), len(x))

        return jax.vmap(one)(state.key)

    def step(carry):
        state, order = carry
        if size is None:
            batch, targets, axis = x, y, None
        else:
            epoch, position = jnp.divmod(state.step, epoch_steps)
            order = jax.lax.cond(position == 0, lambda: shuffled(epoch), lambda: order)
            picked = jax.lax.dynamic_slice_in_dim(order, position * size, size, axis=1)
            batch, targets, axis = x[picked], y[picked], 0
        one = functools.partial(_step, problem, test_data, state.step)
        losses = state.results.losses
        rows = state._replace(step=None, results=state.results._replace(losses=None))
        rows, loss = jax.vmap(one, in_axes=(axes, axis, axis), out_axes=(axes, 0))(rows, batch, targets)
        losses = jax.lax.dynamic_update_slice_in_dim(losses, loss[:, None], state.step, axis=1)
        return rows._replace(step=state.step + 1, results=rows.results._replace(losses=losses)), order

    def going_on(carry):
        return (carry[0].step < until) & jnp.any(carry[0].active)

    order = None if size is None else shuffled(state.step // epoch_steps)
    end, _ = jax.lax.while_loop(going_on, step, (_moved(state, axes, back=False), order))
    return _moved(end, axes, back=True)


def _network_axes(state):
    """Where the axis of networks lies during the steps: second in parameters, behind that of a run's layers.

    A loop over the layers of a stack of networks would otherwise transpose all parameters in every step.
    """
    axes = _State(*[0] * len(_State._fields))._replace(step=None)
    second = jax.tree.map(lambda leaf: min(1, leaf.ndim - 1), (state.params, state.optimizer))
    return axes._replace(params=second[0], optimizer=second[1])


def _moved(state, axes, *, back):
    """The state with the axis of networks where `axes` has it, or back in front."""
    arrays, second = (state.params, state.optimizer), (axes.params, axes.optimizer)

    def move(leaf, axis):
        return jnp.moveaxis(leaf, axis, 0) if back else jnp.moveaxis(leaf, 0, axis)

    params, optimizer = jax.tree.map(move, arrays, second)
    return state._replace(params=params, optimizer=optimizer)


def _step(problem, test_data, step, state, x, y):
    """One step of one network: its new state, and the loss of its batch before the update."""

    def objective(params):
        outputs = problem.apply(params, x)
        return problem.loss(outputs, y), outputs

    (loss, outputs), gradients = jax.value_and_grad(objective, has_aux=True)(state.params)
    moving = state.active & jnp.isfinite(loss)
    update, optimizer = gradients, state.optimizer
    if problem.optimizer is not None:
        update, optimizer = problem.optimizer.update(gradients, optimizer, state.params)
    params = jax.tree.map(lambda p, u: p - state.rate * u, state.params, update)
    params, optimizer = jax.tree.map(
        lambda new, old: jnp.where(moving, new, old), (params, optimizer), (state.params, state.optimizer)
    )
    results, active = state.results, moving
    memory = results.memory
    if problem.watch is not None:
        memory = problem.watch.update(problem.apply, test_data, memory, moving, step, outputs, y, params)
        active = moving & ~problem.watch.done(memory)
    results = results._replace(
        taken=results.taken + moving, diverged=results.diverged | (state.active & ~moving), memory=memory
    )
    new = state._replace(params=params, optimizer=optimizer, active=active, results=results)
    return new, jnp.where(state.active, loss, jnp.nan)


# The loop around it


class _Stack:
    """Carries a stack through training: in strides, with observations, checkpoints and a progress bar."""

    def __init__(self, problem, state, data, steps, look, at, devices):
        devices = jax.devices() if devices is None else list(devices)
        self.problem, self.steps, self.look, self.at = problem, steps, look, at
        self.mesh = Mesh(np.array(devices[: len(state.active)]), (AXIS,))
        self.data = _placed(data, jax.tree.map(lambda _: NamedSharding(self.mesh, PartitionSpec()), data))
        self.results = jax.tree.map(np.array, state.results)
        self.rows, self.seen = np.arange(len(state.active)), []
        self.place(state)
        self.stride, self.path = 1, None

    def place(self, state):
        """Spread a state over the devices, with idle copies of its first network that fill the groups."""
        rows, size = len(state.active), self.mesh.size
        self.group, count, self.large = _groups_of(
            -(-rows // size),
            sum(leaf.nbytes for leaf in jax.tree.leaves(state.params)) // rows,
            self.mesh.devices.flat[0].platform,
        )
        padded = np.concatenate([np.arange(rows), np.zeros(size * count * self.group - rows, int)])
        if len(padded) > rows:
            step, state = state.step, jax.tree.map(lambda leaf: leaf[padded], state._replace(step=None))
            state = state._replace(step=step, active=state.active & (np.arange(len(padded)) < rows))
        spread = NamedSharding(self.mesh, PartitionSpec(AXIS))
        shardings = jax.tree.map(lambda _: spread, state)
        shardings = shardings._replace(step=NamedSharding(self.mesh, PartitionSpec()))
        # Its own copy, which `_advance` may overwrite: the arrays may be the caller's.
        self.work = _placed(state, shardings, may_alias=False)
        # Once three in four have their answer, a smaller stack does the rest; to compile it takes seconds.
        self.limit = 0 if self.problem.watch is None else len(padded) // 4 // size * size

    def keep(self, path, configuration):
        """Keep the state in a file from now on, and go on from the state that is there."""
        self.path, self.configuration, self.saved = Path(path), configuration, time.monotonic()
        if not self.path.parent.is_dir():
            raise ValueError(f"checkpoint must lie in a folder that exists, got {str(path)!r}")
        if not self.path.exists():
            return
        leaves = iter(_read(self.path, configuration))
        self.rows = next(leaves)
        self.results = jax.tree.map(lambda _: next(leaves), self.results)
        step, state = self.work.step, self.work._replace(step=None)
        step, state = next(leaves), jax.tree.map(lambda _: next(leaves)[: len(self.rows)], state)
        self.place(state._replace(step=step))
        if self.at:
            form = jax.tree.structure(jax.eval_shape(self.look, self.work.params))
            rest = list(leaves)
            self.seen = [
                form.unflatten(rest[start : start + form.num_leaves])
                for start in range(0, len(rest), form.num_leaves)
            ]

    def save(self):
        """Write a checkpoint, where one is wanted."""
        if self.path is None:
            return
        self.collect()
        leaves = jax.tree.leaves((self.rows, self.results, _host(self.work), self.seen))
        if jax.process_index() == 0:
            _write(self.path, self.configuration, leaves)
        self.saved = time.monotonic()

    def finish(self, progress=False):
        """Take all steps."""
        self.advance(0)  # compiles, so that the bar counts the time of steps alone
        done = int(self.work.step)
        hidden = not progress or jax.process_index() > 0
        with nullcontext() if hidden else _bar(self.steps, done) as bar:
            for stop in self.at[len(self.seen) :]:
                self.run(stop, bar)
                self.seen.append(self.whole(self.look(self.work.params)))
            self.run(self.steps, bar)
        self.collect()
        self.save()

    def run(self, until, bar):
        """Take the steps up to number `until`, or until every network has stopped."""
        step = int(self.work.step)
        while step < until:
            begin = time.monotonic()
            self.advance(min(until, step + self.stride))
            step, before = int(self.work.step), step
            if bar is not None:
                bar.update(step - before)
            if time.monotonic() - begin < 1:
                self.stride *= 2
            active = _host(self.work.active)[: len(self.rows)]
            if not active.any():
                break
            if active.sum() <= self.limit:
                self.shrink(active)
            if self.path is not None and time.monotonic() - self.saved > CHECKPOINT_SECONDS:
                self.save()

    def advance(self, until):
        advance = _advance(self.large)
        self.work = advance(self.problem, self.mesh, self.group, self.work, self.data, until)

    def shrink(self, active):
        """Go on with the active networks alone."""
        self.collect()
        kept = np.flatnonzero(active)
        step = _host(self.work.step)
        state = jax.tree.map(lambda leaf: leaf[kept], _host(self.work._replace(step=None)))
        self.rows = self.rows[kept]
        self.place(state._replace(step=step))

    def collect(self):
        """Note the results up to now."""
        for old, new in zip(
            jax.tree.leaves(self.results), jax.tree.leaves(_host(self.work.results)), strict=True
        ):
            old[self.rows] = new[: len(self.rows)]

    def whole(self, stack):
        """The networks of a stack, without those that fill the last device."""
        return jax.tree.map(lambda leaf: leaf[: len(self.rows)], _host(stack))


def _groups_of(rows, size, platform):
    """(number in a group, groups, whether large) of `rows` networks of `size` bytes on one device."""
    most = max(1, CACHE // size) if platform == "cpu" else rows
    count = -(-rows // most)
    return -(-rows // count), count, size > CACHE


def _placed(tree, shardings, *, may_alias=None):
    """A tree of arrays on the devices; where there are several processes, each hands in the whole tree."""
    if jax.process_count() == 1:
        return jax.device_put(tree, shardings, may_alias=may_alias)

    # device_put would compare the arrays of the processes, and NaN differs from NaN.
    def put(leaf, sharding):
        leaf = np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(put, tree, shardings)


def _bar(steps, done):
    from tqdm import tqdm  # only here: training itself needs numpy and jax alone

    return tqdm(total=steps, initial=done, unit="step")


def _host(tree):
    """Arrays of numpy, whichever process holds the networks."""
    if jax.process_count() > 1:
        tree = multihost_utils.process_allgather(tree, tiled=True)
    return jax.tree.map(np.asarray, tree)


# Checkpoints


def _write(path, configuration, leaves):
    """Write so that a reader sees the old file or the whole new one, whenever the process is killed."""
    draft = path.with_name(f"{path.name}.writing")
    arrays = {f"{number:06}": leaf for number, leaf in enumerate(leaves)}
    try:
        with draft.open("wb") as file:
            np.savez(file, configuration=json.dumps(configuration), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        message = f"the checkpoint could not be written ({error.strerror}); the last one is kept"
        raise OSError(error.errno, message, str(path)) from error


def _read(path, configuration) -> list[np.ndarray]:
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            begun = json.loads(str(file["configuration"]))
            leaves = [file[name] for name in sorted(file.files) if name != "configuration"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"checkpoint {path} is damaged ({error}): delete it to start again") from error
    differences = [
        f"{name} was {begun.get(name)}, is {configuration.get(name)}"
        for name in sorted(begun.keys() | configuration.keys())
        if begun.get(name) != configuration.get(name)
    ]
    if differences:
        raise ValueError(
            f"checkpoint {path} is of another training: {'; '.join(differences)}. Delete it to start again"
        )
    return leaves


def _configuration(problem, state, data, **more) -> dict[str, str]:
    """What must be the same for a training to go on, in words short enough to be shown."""
    fields = {name: _named(getattr(problem, name)) for name in ("loss", "optimizer", "batch_size", "watch")}
    net = getattr(problem.apply, "__self__", None)
    for name in getattr(net, "__dataclass_fields__", ()):
        value = getattr(net, name)
        # An activation by its name: what it prints holds addresses in memory.
        fields[name] = getattr(value, "name", value)
    arrays = {"params": state.params, "learning_rate": state.rate, "key": state.key}
    arrays |= dict(zip(("x", "y", "test data"), data, strict=True))
    fields |= {name: _digest(value) for name, value in arrays.items()}
    fields |= {"apply": _named(problem.apply), "steps": state.results.losses.shape[1]}
    return {name: str(value) for name, value in (fields | more).items()}


def _named(value):
    """A function or a tuple of functions by name and by the numbers and names that it closes over."""
    if isinstance(value, tuple) and any(callable(part) for part in value):
        return [_named(part) for part in value if callable(part) or isinstance(part, (str, int, float))]
    if not callable(value):
        return value
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    plain = [cell for cell in cells if isinstance(cell, (str, int, float))]
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return f"{name}{plain}" if plain else name


def _digest(tree):
    leaves = jax.tree.leaves(tree)
    if len(leaves) == 1 and leaves[0].size <= 8 and leaves[0].dtype.kind == "f":
        return np.asarray(leaves[0]).tolist()
    content = hashlib.sha256()
    for leaf in leaves:
        content.update(f"{leaf.dtype} {leaf.shape}".encode())
        content.update(np.ascontiguousarray(leaf).tobytes())
    return f"{[leaf.shape for leaf in leaves]} SHA-256 {content.hexdigest()[:12]}" if leaves else None


# Checks


def _checked(net, params, x, y, learning_rate, steps, loss, batch_size, key, optimizer, *, watch):
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
    _checks.unmasked("x", x), _checks.unmasked("y", y)
    if np.ndim(x) < 2 or len(x) == 0:
        raise ValueError(f"x must have shape (n, d) with n >= 1, got {np.shape(x)}")
    x = jnp.asarray(x, dtype)
    if not bool(jnp.isfinite(x).all()):
        raise ValueError("x must be finite, got an infinity or NaN")
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
        if key is None:
            raise ValueError("key is needed to shuffle the examples where batch_size is given")
    params = jax.tree.map(jnp.asarray, params)
    if optimizer is not None:
        _check_direction(optimizer, one)
    problem = _Problem(apply, LOSSES.get(loss, loss), optimizer, batch_size, watch)
    state = _State(
        step=jnp.asarray(0, jnp.int32),
        params=params,
        optimizer=None if optimizer is None else jax.vmap(optimizer.init)(params),
        rate=jnp.broadcast_to(rate, (m,)),
        key=_key_rows(key, m),
        active=jnp.ones(m, bool),
        results=_Results(
            losses=jnp.full((m, steps), jnp.nan, dtype),
            taken=jnp.zeros(m, jnp.int32),
            diverged=jnp.zeros(m, bool),
            memory=None if watch is None else watch.start(m),
        ),
    )
    return problem, state, (x, y, None)


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
        if not ((y >= 0) & (y < outputs.shape[1])).all():
            raise ValueError(
                f"{name} must be labels from 0 to {outputs.shape[1] - 1}, got {y.min()} to {y.max()}"
            )
        return jnp.asarray(y, jnp.int32)
    if loss == "squared":
        if np.shape(y) != outputs.shape:
            raise ValueError(
                f"{name} must have the shape {outputs.shape} of the outputs for squared, got {np.shape(y)};"
                " np.eye(classes)[labels] makes targets of labels"
            )
        return jnp.asarray(y, outputs.dtype)
    return jnp.asarray(y)


def _checked_at(at, steps, observe):
    at = [operator.index(step) for step in at]
    if at != sorted(set(at)) or (at and not 0 <= at[0] <= at[-1] <= steps):
        raise ValueError(f"at must increase within 0 ... {steps}, got {at}")
    if bool(at) != (observe is not None):
        raise ValueError("observe and at belong together: what to observe, and after which steps")
    return at


def _key_rows(key, m):
    """(m, ...) raw key data, one row a network."""
    if key is None:
        return jnp.zeros((m, 2), jnp.uint32)
    key = _checks.random_key("key", key, ((), (m,)))
    return jax.random.key_data(jax.random.split(key, m) if key.shape == () else key)
