"""The compiled loop of `training`: a stack of networks takes steps, each device those of its own networks."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ntk_helpers._compilation import jit_with

AXIS = "networks"
#: Batches are drawn for about so many steps ahead.
STRETCH = 256
#: A network of more bytes is large.
LARGE = 2**20
#: XLA's order of operations for large networks on a CPU: the weights of a layer change as soon as their
#: gradient is there, and the next gradient takes its memory.
LEAST_MEMORY = {"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED"}


class State(NamedTuple):
    """A stack of m networks in training, all that the next steps depend on.

    Attributes
    ----------
    params : parameters, leading axis m.
    optimizer : the optimizer's state, leading axis m; None without one.
    step : the number of steps taken.
    key : (m, ...) raw data of the keys that shuffle the examples.
    """

    params: Any
    optimizer: Any
    step: Any
    key: Any


class Problem(NamedTuple):
    """What the program depends on besides shapes.

    `watch` is None, or an object with `start(m)`, `update(...)` and `done(memory)`, see `_step`.
    """

    apply: Callable
    loss: Callable
    optimizer: Any
    batch_size: int | None
    watch: Any = None


class Run(NamedTuple):
    """What changes from step to step, leading axis of networks; `losses` (m, steps of this call)."""

    params: Any
    optimizer: Any
    active: Any
    diverged: Any
    taken: Any
    losses: Any
    memory: Any


def start(problem, state, losses):
    m = len(losses)
    memory = None if problem.watch is None else problem.watch.start(m)
    active, diverged, taken = np.ones(m, bool), np.zeros(m, bool), np.zeros(m, np.int32)
    return Run(state.params, state.optimizer, active, diverged, taken, losses, memory)


def runs(problem, state, rate, data, steps, at=()):
    """Yield (steps taken, `Run`) at 0, at each of `at`, and at `steps`; each run is used up by the next."""
    m, x = len(state.key), data[0]
    mesh = Mesh(np.array(jax.devices()[:m]), (AXIS,))
    spread, everywhere = NamedSharding(mesh, PartitionSpec(AXIS)), NamedSharding(mesh, PartitionSpec())
    begin = start(problem, state, np.full((m, steps), np.nan, rate.dtype))
    # Idle copies of the first network fill the last device.
    filled = np.concatenate([np.arange(m), np.zeros(-m % mesh.size, int)])
    if len(filled) > m:
        begin, rate = jax.tree.map(lambda leaf: leaf[filled], (begin, rate))
        begin = begin._replace(active=np.arange(len(filled)) < m)
    run, rate = _placed(begin, spread), _placed(rate, spread)
    keys, data = _placed(np.asarray(state.key)[filled], spread), _placed(data, everywhere)
    size, begun = sum(leaf.nbytes for leaf in jax.tree.leaves(state.params)) // m, int(state.step)
    del state, begin
    advance = functools.partial(_advance(size > LARGE), problem, mesh)

    epoch = 1 if problem.batch_size is None else len(x) // problem.batch_size
    epochs = -(-STRETCH // epoch)
    done, stops = 0, {*at, steps}
    if done in at:
        yield done, run
    for first in range(begun // epoch * epoch, begun + steps, epochs * epoch):
        orders = None
        if problem.batch_size is not None:
            numbers = _placed(first // epoch + np.arange(epochs, dtype=np.uint32), everywhere)
            orders = _orders(len(x), problem.batch_size, keys, numbers)
        offset = first - begun
        end = min(offset + epochs * epoch, steps)
        for stop in sorted({k for k in stops if done < k <= end} | {end}):
            run = advance(run, rate, data, orders, np.array([offset, done, stop], np.int32))
            done = stop
            if stop in stops:
                yield stop, run


@functools.partial(jax.jit, static_argnums=(0, 1))
def _orders(n, size, keys, epochs):
    """The examples of each batch of some epochs, shuffled for each network: (m, batches, size)."""

    def order(key, epoch):
        return jax.random.permutation(jax.random.fold_in(jax.random.wrap_key_data(key), epoch), n)

    orders = jax.vmap(jax.vmap(order, (None, 0)), (0, None))(keys, epochs)
    return orders[:, :, : n // size * size].reshape(len(keys), -1, size)


@functools.lru_cache(maxsize=2)
def _advance(large):
    """`_spread` compiled; where networks are `large`, in the order that takes least memory on a CPU."""
    return jit_with(LEAST_MEMORY if large else {}, _spread, static_argnums=(0, 1), donate_argnums=2)


def _spread(problem, mesh, run, rate, data, orders, span):
    """Each device takes the steps of its own networks."""
    own, everywhere = PartitionSpec(AXIS), PartitionSpec()
    return jax.shard_map(
        functools.partial(_steps, problem),
        mesh=mesh,
        in_specs=(own, own, everywhere, own, everywhere),
        out_specs=own,
        check_vma=False,
    )(run, rate, data, orders, span)


def _steps(problem, run, rate, data, orders, span):
    """Steps k = span[1] to span[2], or until no network is active; `orders` begins with step span[0]."""
    x, y, test_data = data

    def going_on(carry):
        k, run = carry
        return (k < span[2]) & jnp.any(run.active)

    def step(carry):
        k, run = carry
        picked = slice(None) if orders is None else orders[:, k - span[0]]
        one = functools.partial(_step, problem, test_data, k)
        axis = None if orders is None else 0
        losses = run.losses
        run, loss = jax.vmap(one, (0, 0, axis, axis))(run._replace(losses=None), rate, x[picked], y[picked])
        return k + 1, run._replace(losses=losses.at[:, k].set(loss))

    return jax.lax.while_loop(going_on, step, (span[1], run))[1]


def _step(problem, test_data, k, run, rate, x, y):
    """One step of one network: what it is then, and the loss of its batch before the update."""

    def objective(params):
        outputs = problem.apply(params, x)
        return problem.loss(outputs, y), outputs

    (loss, outputs), update = jax.value_and_grad(objective, has_aux=True)(run.params)
    moving, optimizer = run.active & jnp.isfinite(loss), run.optimizer
    if problem.optimizer is not None:
        update, optimizer = problem.optimizer.update(update, optimizer, run.params)
    params = jax.tree.map(lambda p, u: p - rate * u, run.params, update)
    new, old = (params, optimizer), (run.params, run.optimizer)
    params, optimizer = jax.tree.map(lambda n, o: jnp.where(moving, n, o), new, old)
    active, memory = moving, run.memory
    if problem.watch is not None:
        memory = problem.watch.update(problem.apply, test_data, memory, moving, k, outputs, y, params)
        active = moving & ~problem.watch.done(memory)
    diverged = run.diverged | (run.active & ~moving)
    new = Run(params, optimizer, active, diverged, run.taken + moving, None, memory)
    return new, jnp.where(run.active, loss, jnp.nan)


def _placed(tree, sharding):
    """A copy on the devices; where there are several processes, each hands in the whole tree."""
    if jax.process_count() == 1:
        # Not the arrays themselves, which may be the caller's: the steps overwrite them.
        return jax.device_put(tree, sharding, may_alias=False)

    def put(leaf):  # device_put would compare the arrays of the processes, and NaN differs from NaN
        leaf = np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(put, tree)


def rows(m, tree):
    """The first m networks, as arrays of numpy, whichever process holds them."""
    if jax.process_count() > 1:
        tree = multihost_utils.process_allgather(tree, tiled=True)
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:m], tree)
