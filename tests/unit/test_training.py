"""Training: right numbers first, then stacks, devices, processes, stretches and faults."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ntk_helpers import _descent, dynamics, training
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments import _runner
from ntk_helpers.networks import PARAMETERIZATIONS, WEIGHTS, Network
from ntk_helpers.training import steps_to_accuracy, train

pytestmark = pytest.mark.slow("compiles and trains stacks of networks")

WIDTHS = (6, 16, 16, 16, 3)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)).astype(np.float32)
LABELS = RNG.integers(3, size=40)
TARGETS = np.eye(3, dtype=np.float32)[LABELS]
SETTINGS = {"squared": {"y": TARGETS}, "cross_entropy": {"y": LABELS, "loss": "cross_entropy"}}


def network(**changes):
    return Network(**{"widths": WIDTHS, "activation": "tanh", "sigma_w": 1.3, "sigma_b": 0.2} | changes)


def stack(net, m, *, seed=0, dtype="float32"):
    networks = [net.init(key, dtype=dtype) for key in jax.random.split(jax.random.key(seed), m)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)


def row(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def distance(tree, other):
    """The largest relative distance of two leaves, in the norm over all entries."""
    pairs = zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)


def memory(net, options):
    """(used up, beside) the parameters in a step of one network, in sizes of the parameters."""
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(0), 1))
    x, y = jnp.ones((20, net.widths[0])), jnp.ones((20, net.widths[-1]))
    problem, state, rate, data = training._checked(net, params, x, y, 0.1, 9, "squared", None, None, None)
    run = _descent.start(problem, state, np.zeros((1, 9), np.float32))
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), (_descent.AXIS,))
    advance = jax.jit(_descent._spread, compiler_options=options, static_argnums=(0, 1), donate_argnums=2)
    program = advance.lower(problem, mesh, run, rate, data, None, np.zeros(3, np.int32)).compile()
    found = program.memory_analysis()
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    return found.alias_size_in_bytes / size, found.temp_size_in_bytes / size


# Right numbers


@pytest.mark.parametrize("loss", SETTINGS)
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
def test_one_step_against_finite_differences(double_precision, loss, parameterization):
    """The move of one step, over minus the learning rate, is the slope of the loss written out in numpy."""
    net = network(parameterization=parameterization)
    params = stack(net, 1, dtype="float64")
    x = X.astype(np.float64)

    def objective(weights):
        outputs = np.asarray(net.apply(weights, x))
        if loss == "squared":
            return np.mean(np.sum((outputs - TARGETS) ** 2, axis=1)) / 2
        exponentials = np.exp(outputs)
        return -np.mean(np.log(exponentials[np.arange(40), LABELS] / exponentials.sum(axis=1)))

    result = train(net, params, x, learning_rate=0.5, steps=1, **SETTINGS[loss])
    before, after = row(params, 0), row(result.params, 0)
    assert result.losses[0, 0] == pytest.approx(objective(before), rel=1e-12)
    direction = [
        jax.random.normal(jax.random.key(i), leaf.shape) for i, leaf in enumerate(jax.tree.leaves(before))
    ]
    direction = jax.tree.unflatten(jax.tree.structure(before), direction)
    h = 1e-5
    ahead = objective(jax.tree.map(lambda p, v: p + h * v, before, direction))
    behind = objective(jax.tree.map(lambda p, v: p - h * v, before, direction))
    moves = jax.tree.map(lambda new, old, v: jnp.sum((old - new) / 0.5 * v), after, before, direction)
    # The error of the central difference is h^2 times a third derivative, and 1e-16 / h from rounding.
    assert sum(jax.tree.leaves(moves)) == pytest.approx((ahead - behind) / (2 * h), rel=1e-6)


def test_linear_model_follows_the_dynamics_in_function_space(double_precision):
    """A network that is linear in its parameters is descent with its frozen kernel, exactly."""
    net = Network((6, 2), "linear", sigma_w=1.0, sigma_b=0.5)
    params = stack(net, 2, dtype="float64")
    x, y = X[:8].astype(np.float64), RNG.normal(size=(8, 2))
    steps = [0, 1, 7, 40]
    result = train(
        net, params, x, y, learning_rate=0.3, steps=40, observe=lambda p: net.apply(p, x), at=steps
    )
    for m in range(2):
        kernel = np.asarray(empirical_ntk(net, row(params, m), x))
        start = np.asarray(net.apply(row(params, m), x)) - y
        expected = dynamics.gradient_descent(kernel, start, learning_rate=0.3, steps=40)[steps]
        np.testing.assert_allclose(result.observations[m] - y, expected, atol=1e-12)
        np.testing.assert_allclose(
            result.losses[m, [0, 1, 7]], np.sum(expected[:3] ** 2, axis=(1, 2)) / 16, rtol=1e-12
        )


@pytest.mark.parametrize("loss", SETTINGS)
def test_single_against_double_precision(double_precision, loss):
    """20 steps: each adds a rounding of about 2^-24 sqrt(its products), and no step amplifies it much."""
    net = network()
    params = stack(net, 2, dtype="float64")
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), params)
    options = {"learning_rate": 0.2, "steps": 20, "batch_size": 16, "key": jax.random.key(1)}
    exact = train(net, params, X, **options, **SETTINGS[loss])
    rounded = train(net, single, X, **options, **SETTINGS[loss])
    assert rounded.params[0].weights.dtype == jnp.float32
    assert exact.params[0].weights.dtype == jnp.float64
    bound = 20 * 2**-24 * np.sqrt(max(WIDTHS))
    np.testing.assert_allclose(rounded.losses, exact.losses, rtol=bound)
    assert distance(rounded.params, exact.params) < bound
    assert distance(rounded.params, exact.params) > 0


@pytest.mark.parametrize("batch_size", [None, 16])
def test_network_in_a_stack_trains_as_it_does_alone(batch_size):
    """To a few roundings: XLA may sum a product of matrices in another order when it is one of several."""
    net, keys = network(), jax.random.split(jax.random.key(3), 4)
    params, rates = stack(net, 4), np.array([0.01, 0.1, 0.3, 0.6])
    options = {"steps": 30, "batch_size": batch_size}
    together = train(net, params, X, TARGETS, learning_rate=rates, key=keys, **options)
    for m in range(4):
        alone = train(
            net,
            row(params, slice(m, m + 1)),
            X,
            TARGETS,
            learning_rate=rates[m],
            key=keys[m : m + 1],
            **options,
        )
        np.testing.assert_allclose(together.losses[m], alone.losses[0], rtol=1e-5)
        assert distance(row(together.params, m), row(alone.params, 0)) < 1e-5


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("parameterization", PARAMETERIZATIONS)
def test_step_zero_is_the_initialisation(weights, parameterization):
    """What is observed before the first step is in the ensemble: W^T W = n sigma^2 I for square layers."""
    net = network(weights=weights, parameterization=parameterization)
    params = stack(net, 2)
    result = train(net, params, X, TARGETS, learning_rate=0.1, steps=2, observe=lambda p: p, at=[0, 2])
    assert jax.tree.all(
        jax.tree.map(lambda seen, leaf: np.array_equal(seen[:, 0], leaf), result.observations, params)
    )
    hidden = result.observations[1].weights[:, :, :2]
    scale = 16 if parameterization == "ntk" else 1.3**2
    gram = np.einsum("mtlij,mtlik->mtljk", hidden, hidden) / scale
    defect = np.abs(gram - np.eye(16)).max(axis=(0, 2, 3, 4))
    if weights == "orthogonal":
        assert defect[0] < 16 * 2**-23
        assert defect[1] > 1e-4  # training leaves the ensemble
    else:
        assert defect[0] > 0.3


def test_batches_are_epochs_without_replacement():
    """With the loss of a network that ignores its parameters, the losses are the batches."""
    values = np.arange(40.0, dtype=np.float32)[:, None]

    def apply(params, x):
        return x + 0 * params["w"]

    def loss(outputs, y):
        return jnp.sum(outputs)

    result = train(
        apply,
        {"w": jnp.zeros((3, 1))},
        values,
        values,
        loss=loss,
        learning_rate=1.0,
        steps=12,
        batch_size=13,
        key=jax.random.key(0),
        observe=lambda p: p["w"],
        at=[12],
    )
    # Three batches of 13 an epoch; one example waits, so that the sum of an epoch is 780 less its value.
    left_over = 780 - result.losses.reshape(3, 4, 3).sum(axis=2)
    assert ((left_over >= 0) & (left_over <= 39)).all()
    assert len(np.unique(left_over)) > 6
    # Networks and epochs differ.
    assert len(np.unique(result.losses)) > 24


def test_batches_repeat_with_their_keys():
    net, params = network(), stack(network(), 2)
    options = {"learning_rate": 0.1, "steps": 5, "batch_size": 8}
    key = jax.random.key(7)
    one = train(net, params, X, TARGETS, key=key, **options)
    two = train(net, params, X, TARGETS, key=jax.random.split(key, 2), **options)
    other = train(net, params, X, TARGETS, key=jax.random.key(8), **options)
    np.testing.assert_array_equal(one.losses, two.losses)
    assert (one.losses != other.losses).all()


def test_optimizer_of_optax():
    """Against optax's own loop, with momentum and with RMSProp."""
    optax = pytest.importorskip("optax")
    net, params = network(), stack(network(), 1)
    for scale in (optax.trace(decay=0.9), optax.scale_by_rms()):
        result = train(net, params, X, TARGETS, learning_rate=0.01, steps=10, optimizer=scale)
        whole = optax.chain(scale, optax.scale(-0.01))
        weights = row(params, 0)
        state = whole.init(weights)
        for _ in range(10):
            gradient = jax.grad(lambda p: jnp.sum((net.apply(p, X) - TARGETS) ** 2) / 80)(weights)
            update, state = whole.update(gradient, state, weights)
            weights = optax.apply_updates(weights, update)
        assert distance(row(result.params, 0), weights) < 1e-5


def test_optimizers_whose_updates_are_added_are_refused():
    optax = pytest.importorskip("optax")
    net, params = network(), stack(network(), 1)
    for optimizer in (optax.adam(0.01), optax.sgd(0.1, momentum=0.9)):
        with pytest.raises(ValueError, match=r"optimizer must return a direction, .* optax.scale_by_adam"):
            train(net, params, X, TARGETS, learning_rate=0.01, steps=1, optimizer=optimizer)


def test_training_names_keys_and_masked_arrays():
    net, params = network(), stack(network(), 1)
    options = {"learning_rate": 0.01, "steps": 1}
    with pytest.raises(ValueError, match="key must be a jax random key, got 3"):
        train(net, params, X, TARGETS, batch_size=2, key=3, **options)
    with pytest.raises(ValueError, match="x must not be a masked array"):
        train(net, params, np.ma.masked_less(X, -np.inf), TARGETS, **options)


@pytest.mark.parametrize("transform", [jax.jit, jax.grad])
def test_training_inside_a_traced_function(transform):
    net, params = network(), stack(network(), 2)
    options = {"learning_rate": 0.1, "steps": 3}
    expected, inside = train(net, params, X, TARGETS, **options), []

    def function(s):
        inside.append(train(net, params, X, TARGETS, **options))
        return 2 * s

    transform(function)(1.0)
    np.testing.assert_array_equal(inside[0].losses, expected.losses)
    with pytest.raises(ValueError, match=r"train computes with numbers: it cannot be traced by jax\.jit"):
        transform(lambda s: train(net, params, s * X, TARGETS, **options).losses.sum())(1.0)
    np.testing.assert_array_equal(train(net, params, X, TARGETS, **options).losses, expected.losses)


def test_a_step_of_a_wide_network_holds_the_parameters_alone():
    """The weights of a layer change as soon as their gradient is there; the next one takes its memory."""
    try:
        net = Network((20, *[300] * 20, 1), "relu", sigma_w=1.4, sigma_b=0.0)
        used_up, beside = memory(net, _descent.LEAST_MEMORY)
    except jax.errors.JaxRuntimeError:
        pytest.skip("this XLA does not know the option")
    assert used_up == pytest.approx(1, abs=0.05)
    assert beside < 0.25


def test_a_large_network_trains_where_the_option_is_missing(monkeypatch):
    net, options = network(), {"learning_rate": 0.1, "steps": 5}
    expected = train(net, stack(net, 2), X, TARGETS, **options)
    monkeypatch.setattr(_descent, "LARGE", 1)
    monkeypatch.setattr(_descent, "LEAST_MEMORY", {"xla_no_such_option": True})
    _descent._advance.cache_clear()
    try:
        found = train(net, stack(net, 2), X, TARGETS, **options)
    finally:
        _descent._advance.cache_clear()
    assert distance(found.params, expected.params) < 1e-6


def test_the_arrays_of_the_caller_are_left_alone():
    params = stack(network(), 2)
    before = jax.tree.map(np.array, params)
    train(network(), params, X, TARGETS, learning_rate=0.1, steps=5)
    assert distance(params, before) == 0


def test_divergence_is_recorded_and_does_not_spread():
    net, params = network(), stack(network(), 3)
    rates = np.array([0.1, 1e30, 0.2])
    result = train(net, params, X, TARGETS, learning_rate=rates, steps=15)
    np.testing.assert_array_equal(result.diverged, [False, True, False])
    assert result.taken[1] < 15
    assert (result.taken[[0, 2]] == 15).all()
    assert np.isnan(result.losses[1, result.taken[1] + 1 :]).all()
    assert not np.isfinite(result.losses[1, result.taken[1]])
    alone = train(net, row(params, np.array([0, 2])), X, TARGETS, learning_rate=rates[[0, 2]], steps=15)
    np.testing.assert_allclose(result.losses[[0, 2]], alone.losses, rtol=1e-5)


# Steps to an accuracy


def plain_steps(net, params, x, y, x_test, y_test, accuracy, options):
    """The same answers from `train`, that looks at all test images after every step."""
    steps = options["steps"]

    def right(p, x, y):
        return jnp.sum(jnp.argmax(net.apply(p, x), axis=1) == y)

    result = train(
        net,
        params,
        x,
        y,
        loss="cross_entropy",
        observe=lambda p: right(p, x_test, y_test),
        at=range(1, steps + 1),
        **options,
    )
    above = result.observations > accuracy * len(y_test)
    return np.where(above.any(axis=1), above.argmax(axis=1) + 1, 0)


@pytest.mark.parametrize("n_test", [400, 2500])
def test_steps_to_accuracy(n_test):
    """Against a look at all test images after every step; slow networks and a diverging one among them."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(3, 6))
    labels, test_labels = rng.integers(3, size=300), rng.integers(3, size=n_test)
    x = (centres[labels] + 0.7 * rng.normal(size=(300, 6))).astype(np.float32)
    x_test = (centres[test_labels] + 0.7 * rng.normal(size=(n_test, 6))).astype(np.float32)
    net = network()
    params, rates = stack(net, 6), np.array([1e-4, 0.01, 0.03, 0.1, 1.0, 3e38])
    options = {"learning_rate": rates, "steps": 60, "batch_size": 50, "key": jax.random.key(2)}
    result = steps_to_accuracy(net, params, x, labels, x_test, test_labels, accuracy=0.6, **options)
    expected = plain_steps(net, params, x, labels, x_test, test_labels, 0.6, options)
    np.testing.assert_array_equal(result.test[:5], expected[:5])
    assert result.test[0] == result.train[0] == 0
    assert result.taken[0] == 60
    assert (result.test[2:5] > 0).all()
    assert result.diverged.tolist() == [False] * 5 + [True]
    answered = (result.train > 0) & (result.test > 0)
    np.testing.assert_array_equal(result.taken[answered], np.maximum(result.train, result.test)[answered])
    assert len(set(result.test[answered])) > 1


def test_own_batch_is_looked_at_before_the_update():
    """Full batch: the accuracy before step k + 1 is that after step k, so train comes one step later."""
    net, params = network(), stack(network(), 4, seed=5)
    result = steps_to_accuracy(net, params, X, LABELS, X, LABELS, accuracy=0.5, learning_rate=0.3, steps=80)
    late = result.train > 1
    assert late.any()
    np.testing.assert_array_equal(result.train[late], result.test[late] + 1)
    start = [np.mean(np.argmax(net.apply(row(params, m), X), axis=1) == LABELS) > 0.5 for m in range(4)]
    np.testing.assert_array_equal(result.train == 1, start)


# Devices, processes, stretches: each in processes of their own

COMMON = textwrap.dedent(
    """
    import sys, time
    import jax
    {first}
    sys.path.insert(0, {folder!r})
    import test_training as t
    import numpy as np
    from ntk_helpers import training
    """
)


def everything(**more):
    """A run with batches, learning rates, observations and a network that diverges; as one dictionary."""
    net = network()
    result = train(
        net,
        stack(net, 5),
        X,
        TARGETS,
        learning_rate=np.array([0.01, 0.1, 0.3, 0.6, 1e30]),
        steps=40,
        batch_size=16,
        key=jax.random.key(4),
        observe=lambda p: net.apply(p, X[:2]),
        at=[0, 11, 40],
        **more,
    )
    leaves = jax.tree.leaves(result)
    answer = steps_to_accuracy(
        net,
        stack(net, 5),
        X,
        LABELS,
        X,
        LABELS,
        accuracy=0.5,
        steps=40,
        learning_rate=np.array([1e-4, 0.1, 0.3, 0.6, 1e30]),
    )
    return {str(i): np.asarray(leaf) for i, leaf in enumerate([*leaves, *answer])}


def start(code, *arguments, first="", **environment):
    """A process that runs `first`, the imports of COMMON, and `code`."""
    here = os.path.dirname(__file__)
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            COMMON.format(folder=here, first=first) + textwrap.dedent(code),
            *map(str, arguments),
        ],
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def assert_same(found, expected, rtol):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=rtol, atol=rtol, err_msg=name)


def test_four_devices_give_the_same_results(tmp_path):
    code = """
        assert len(jax.devices()) == 4
        np.savez(sys.argv[1], **t.everything())
    """
    flags = "--xla_force_host_platform_device_count=4"
    finished(start(code, tmp_path / "four.npz", XLA_FLAGS=flags))
    # Other sizes of stack: sums in another order, as for a network alone.
    assert_same(dict(np.load(tmp_path / "four.npz")), everything(), 1e-5)


PIN = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="only Linux lends a process a part of the cores"
)
@pytest.mark.parametrize(
    ("pin", "environment", "devices"),
    [
        ("", {}, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None),
        (PIN, {}, 1),
        (PIN, {"JAX_NUM_CPU_DEVICES": "3"}, 3),
    ],
    ids=("every core", "one lent", "set"),
)
def test_cores_as_devices(pin, environment, devices):
    first = f"{pin}from ntk_helpers.training import cores_as_devices; cores_as_devices()"
    process = start("print(len(jax.devices()))", first=first, **environment, XLA_FLAGS="")
    assert finished(process) == f"{devices}\n"


def test_two_processes_give_the_same_results(tmp_path):
    import socket

    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    code = """
        assert len(jax.devices()) == 2 and len(jax.local_devices()) == 1
        np.savez(sys.argv[1] + sys.argv[3] + ".npz", **t.everything())
    """
    first = 'jax.distributed.initialize(f"localhost:{sys.argv[2]}", 2, int(sys.argv[3]))'
    processes = [start(code, tmp_path / "process", port, number, first=first) for number in (0, 1)]
    for process in processes:
        finished(process)
    expected = everything()
    for number in (0, 1):
        assert_same(dict(np.load(tmp_path / f"process{number}.npz")), expected, 1e-5)


def half_way(batch_size, optimizer=None, **more):
    """Arguments of a training that is cut into stretches."""
    batches = {} if batch_size is None else {"batch_size": batch_size, "key": jax.random.key(4)}
    rates = np.array([0.01, 0.1, 1e30]) if optimizer is None else 0.01
    return {"y": TARGETS, "x": X, "learning_rate": rates, "optimizer": optimizer} | batches | more


@pytest.mark.parametrize(("batch_size", "momentum"), [(None, False), (16, False), (16, True)])
def test_a_state_goes_on_with_the_same_result(batch_size, momentum):
    """In stretches that end within an epoch, bit for bit."""
    optimizer = pytest.importorskip("optax").trace(decay=0.9) if momentum else None
    net, options = network(), half_way(batch_size, optimizer)
    whole = train(net, stack(net, 3), steps=17, **options)
    state, losses = stack(net, 3), []
    for steps in (1, 6, 7, 3):
        part = train(net, state, steps=steps, **options)
        state = part.state
        losses.append(part.losses)
    assert state.step == 17
    for found, expected in zip(jax.tree.leaves(state), jax.tree.leaves(whole.state), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.concatenate(losses, axis=1)[:2], whole.losses[:2])


def test_killed_run_goes_on_with_the_same_result(tmp_path):
    """SIGKILL at three moments, whatever the process does then; what comes out is bitwise the same."""
    code = """
        from pathlib import Path
        from ntk_helpers.experiments import _runner
        def stretch(state):
            return training.train(t.network(), state, steps=1, **t.half_way(16)).state
        file = Path(sys.argv[1])
        state = stretch(t.stack(t.network(), 3))
        state = _runner.kept(file, state) or state
        while state.step < 40:
            time.sleep(0.05)
            state = stretch(state)
            _runner.keep(file, state)
        np.savez(sys.argv[2], *jax.tree.leaves(state))
    """
    path, result = tmp_path / "state.npz", tmp_path / "result.npz"
    for pause in (0.0, 0.4, 0.9):
        process = start(code, path, result)
        while not path.exists():
            time.sleep(0.02)
            assert process.poll() is None, process.stderr.read()
        stamp = path.stat().st_mtime_ns
        while path.stat().st_mtime_ns == stamp and process.poll() is None:
            time.sleep(0.01)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not result.exists()
    finished(start(code, path, result))
    whole = train(network(), stack(network(), 3), steps=40, **half_way(16)).state
    found = np.load(result)
    for name, expected in zip(found.files, jax.tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("damage", [b"", b"not an archive", None])
def test_a_state_that_cannot_be_read_is_named(tmp_path, damage):
    path, params = tmp_path / "state.npz", stack(network(), 2)
    assert _runner.kept(path, params) is None
    _runner.keep(path, params)
    assert distance(_runner.kept(path, params), params) == 0
    path.write_bytes(path.read_bytes()[:100] if damage is None else damage)
    with pytest.raises(ValueError, match=r"state\.npz is damaged .*delete it to start again"):
        _runner.kept(path, params)
    _runner.keep(path, stack(network(), 3))
    with pytest.raises(ValueError, match="is of another training"):
        _runner.kept(path, params)


def test_full_disk_keeps_the_last_state(tmp_path, monkeypatch):
    path, params = tmp_path / "state.npz", stack(network(), 2)
    _runner.keep(path, params)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_runner.np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        _runner.keep(path, stack(network(), 2, seed=1))
    assert [file.name for file in tmp_path.iterdir()] == ["state.npz"]
    assert distance(_runner.kept(path, params), params) == 0


def small(**changes):
    net = changes.pop("net", network())
    options = {"learning_rate": 0.1, "steps": 20, "y": TARGETS, "params": stack(network(), 2)} | changes
    return train(net, x=options.pop("x", X), **options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"params": network().init(jax.random.key(0))}, "params must be a stack"),
        ({"params": ()}, "params must be a stack"),
        ({"net": 3}, "net must be a Network or a function"),
        ({"x": X[0]}, r"x must have shape \(n, d\)"),
        ({"x": X * np.nan}, "x must be finite"),
        ({"y": LABELS}, r"y must have the shape \(40, 3\).*np.eye"),
        ({"loss": "cross_entropy"}, r"y must be integer labels of shape \(40,\)"),
        ({"loss": "cross_entropy", "y": LABELS + 1}, "y must be labels from 0 to 2, got 1 to 3"),
        ({"loss": "hinge"}, "loss must be one of 'squared', 'cross_entropy' or a function, got 'hinge'"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_rate": [0.1, 0.1, 0.1]}, r"learning_rate must be positive.*a number or \(2,\)"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"learning_rate": 1e39}, "learning_rate must be positive and finite in float32"),
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 2.5}, "steps must be a positive integer, got 2.5"),
        ({"batch_size": 41, "key": jax.random.key(0)}, "batch_size must be at most n = 40, got 41"),
        ({"batch_size": 4}, "key is needed"),
        ({"batch_size": 4, "key": jax.random.split(jax.random.key(0), 3)}, r"key must be one key, or \(2,\)"),
        ({"observe": lambda p: p}, "observe and at belong together"),
        (
            {"observe": lambda p: p, "at": [3, 2]},
            r"at must be increasing integers from 0 to 20, got \[3",
        ),
        ({"observe": lambda p: p, "at": [21]}, "at must be increasing integers from 0 to 20"),
    ],
)
def test_wrong_calls(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**({"params": stack(network(), 2)} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": 1.0}, r"accuracy must lie in \[0, 1\), got 1.0"),
        ({"x_test": X[:, :5]}, r"x_test must have shape \(n, 6\)"),
        ({"y_test": LABELS[:7]}, r"y_test must be integer labels of shape \(40,\)"),
    ],
)
def test_wrong_calls_of_steps_to_accuracy(changes, message):
    options = {"x_test": X, "y_test": LABELS, "accuracy": 0.5, "learning_rate": 0.1, "steps": 2} | changes
    with pytest.raises(ValueError, match=message):
        steps_to_accuracy(network(), stack(network(), 2), X, LABELS, **options)
