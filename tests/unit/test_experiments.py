"""The experiment runner, and the kernel regression it runs on MNIST."""

import dataclasses
import json
import os
import re
import types
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from ntk_helpers import experiments, mean_field, training
from ntk_helpers.empirical import empirical_ntk
from ntk_helpers.experiments import (
    Experiment,
    _queue,
    _runner,
    depth_and_trainability,
    initial_kernels,
    kernel_alignment,
    kernel_ratio,
    lazy_training,
    mnist_regression,
    small_learning_rates,
)
from ntk_helpers.experiments.__main__ import INTERRUPTED, UNFINISHED, main
from ntk_helpers.kernels import depth_profile, fcn_kernels
from ntk_helpers.networks import Network

pytestmark = pytest.mark.slow("runs an experiment at its smallest scale")


def counting(calls, fail_at=None, **fields):
    """An experiment of three slices that notes its calls, and breaks at one of them."""

    def run(settings, piece):
        if piece["part"] == fail_at:
            raise KeyboardInterrupt
        calls.append(piece["part"])
        return {"value": settings["factor"] * piece["part"]}

    scales = {"quick": {"factor": 2, "seeds": []}, "paper": {"factor": 3, "seeds": []}}
    return Experiment("count", scales, lambda settings: [{"part": i} for i in (1, 2, 3)], run, **fields)


def values(path):
    return [record["result"]["value"] for record in json.loads(path.read_text())["records"]]


RESULTS = Path(__file__).parents[2] / "notebooks" / "results"
#: What runs wrote: not the authors' numbers, and not what an unfinished or quick run left here.
RECORDED = sorted(
    path.name
    for path in RESULTS.glob("*.json")
    if not path.name.startswith("huang_") and not path.name.endswith((".part.json", ".quick.json"))
)


@pytest.mark.parametrize("file", RECORDED)
def test_recorded_runs_have_the_settings_of_today(file):
    recorded = json.loads((RESULTS / file).read_text())
    name, scale = recorded["experiment"], recorded["scale"]
    assert file == (f"{name}.json" if scale == "paper" else f"{name}.{scale}.json")
    experiment = _runner.find(name)
    assert recorded["settings"] == json.loads(json.dumps(experiment.scales[scale]))
    assert [record["slice"] for record in recorded["records"]] == experiment.slices(recorded["settings"])


def test_result_carries_its_provenance(tmp_path):
    path = experiments.run("count", counting([]), "paper", folder=tmp_path)
    result = json.loads(path.read_text())
    assert path == tmp_path / "count.json"
    assert [path.name for path in tmp_path.iterdir()] == ["count.json"]
    assert values(path) == [3, 6, 9]
    assert result["command"] == "python -m ntk_helpers.experiments count --scale paper"
    assert result["settings"] == {"factor": 3, "seeds": []}
    (machine,) = result["environments"]
    assert machine.keys() == {"date", "device", "cores", "system", "python", "packages"}
    assert machine["packages"]["jax"]
    assert all(record["environment"] == 0 and record["seconds"] >= 0 for record in result["records"])


def test_trial_does_not_replace_the_full_result(tmp_path):
    full = experiments.run("count", counting([]), "paper", folder=tmp_path)
    trial = experiments.run("count", counting([]), "quick", folder=tmp_path)
    assert values(full) == [3, 6, 9]
    assert values(trial) == [2, 4, 6]


def test_interrupted_run_goes_on_where_it_stopped(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        experiments.run("count", counting(calls, fail_at=3), "quick", folder=tmp_path)
    assert not (tmp_path / "count.quick.json").exists()
    path = experiments.run("count", counting(calls), "quick", folder=tmp_path)
    assert calls == [1, 2, 3]
    assert values(path) == [2, 4, 6]


def test_fresh_run_forgets_the_finished_slices(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        experiments.run("count", counting(calls, fail_at=2), "quick", folder=tmp_path)
    experiments.run("count", counting(calls), "quick", folder=tmp_path, fresh=True)
    assert calls == [1, 1, 2, 3]


def test_run_in_small_portions_of_time(tmp_path):
    """A limit that is over at once still leaves what was finished, and repeated calls reach the end."""
    calls = []
    experiment = counting(calls)
    clock = iter(range(0, 10_000, 50))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_runner, "time", types.SimpleNamespace(monotonic=lambda: next(clock)))
        tries = 0
        while (path := experiments.run("count", experiment, "quick", folder=tmp_path, minutes=1)) is None:
            tries += 1
    assert tries >= 1
    assert calls == [1, 2, 3]
    assert values(path) == [2, 4, 6]


def test_queue_works_off_what_is_missing(tmp_path, monkeypatch):
    """In order, past what is there and what cannot start; killed within a slice it goes on from there."""
    monkeypatch.setattr(_queue.os, "nice", lambda increment: 0)
    calls = []
    known = {
        "one": counting(calls, fail_at=2),
        "lame": counting([], needs=("no_such_module",)),
        "two": counting(calls),
    }
    queue = [(name, "quick") for name in known]
    arguments = {"folder": tmp_path, "queue": queue, "find": known.get}
    with pytest.raises(KeyboardInterrupt):
        _queue.work_off(**arguments)
    known["one"] = counting(calls)
    assert not _queue.work_off(**arguments)
    assert calls == [1, 2, 3, 1, 2, 3]
    assert not _queue.work_off(**arguments)  # nothing is run twice
    assert calls == [1, 2, 3, 1, 2, 3]
    log = (tmp_path / "queue.log").read_text()
    assert "lame quick: passed over: experiment lame needs no_such_module" in log
    known["lame"] = counting(calls)
    assert _queue.work_off(**arguments)


def test_two_at_once_in_a_folder_are_refused(tmp_path):
    """Another queue, and a run of the same name and scale, which would write the same file."""
    queue, run = tmp_path / "queue.lock", tmp_path / "count.quick.lock"
    with _runner.only_one(queue), pytest.raises(ValueError, match=r"another process holds .*queue\.lock"):
        _queue.work_off(folder=tmp_path, queue=())
    with (
        _runner.only_one(run),
        pytest.raises(ValueError, match=r"another process holds .*count\.quick\.lock"),
    ):
        experiments.run("count", counting([]), "quick", folder=tmp_path)
    experiments.run("count", counting([]), "quick", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["count.quick.json"]


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(tmp_path, monkeypatch):
    calls = []

    def refuse(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(_runner, "open", refuse, raising=False)
    with pytest.raises(ValueError, match=r"folder must be one to write to, got .*Permission denied"):
        experiments.run("count", counting(calls), "quick", folder=tmp_path)
    assert calls == []


def test_an_interrupted_command_ends_with_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ntk_helpers.experiments.__main__.find", lambda name: counting([], fail_at=2))
    assert main(["count", "--folder", str(tmp_path)]) == INTERRUPTED
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "interrupted; the same command goes on after the last finished slice"


def test_queue_names_scales_that_exist():
    for name, scale in _queue.QUEUE:
        assert scale in _runner.find(name).scales


def test_a_run_takes_over_what_another_scale_began(tmp_path):
    calls: list[int] = []
    experiment = counting(calls, begun_by={"paper": "quick"})
    begun = experiment._replace(slices=lambda settings: [{"part": 1}])
    _runner.run("count", begun, "quick", folder=tmp_path)
    path = _runner.run("count", experiment, "paper", folder=tmp_path)
    assert calls == [1, 2, 3]
    assert values(path) == [2, 6, 9]
    # Asked to begin afresh, or where that run had other data or settings, it does.
    assert values(_runner.run("count", experiment, "paper", folder=tmp_path, fresh=True)) == [3, 6, 9]
    earlier = tmp_path / "count.quick.json"
    found = json.loads(earlier.read_text())
    for other in ({"data": {"other": "images"}}, {"settings": {"factor": 5, "seeds": []}}):
        earlier.write_text(json.dumps(found | other))
        assert values(_runner.run("count", experiment, "paper", folder=tmp_path)) == [3, 6, 9]


def test_a_run_writes_the_shorter_scale_that_it_completes_on_its_way(tmp_path):
    def slices(settings):
        return [{"part": i} for i in range(1, 2 + (settings["factor"] == 3))]

    scales = {scale: {"factor": 3 if scale == "paper" else 2, "seeds": []} for scale in ("paper", "quick")}
    calls: list[int] = []
    experiment = counting(calls, fail_at=2, begun_by={"paper": "quick"})
    experiment = experiment._replace(scales=scales, slices=slices)
    with pytest.raises(KeyboardInterrupt):
        _runner.run("count", experiment, "paper", folder=tmp_path)
    shorter = json.loads((tmp_path / "count.quick.json").read_text())
    assert shorter["settings"] == scales["quick"]
    assert shorter["command"].endswith("--scale quick")
    assert [record["slice"] for record in shorter["records"]] == [{"part": 1}]


def test_stretches_are_taken_over_by_runs_that_differ_in_their_number_only():
    experiment = small_learning_rates.EXPERIMENT
    for longer, shorter in experiment.begun_by.items():
        whole, begun = (experiment.scales[scale] for scale in (longer, shorter))
        assert {**whole, "ends": None} == {**begun, "ends": None}
        assert experiment.slices(whole)[: len(experiment.slices(begun))] == experiment.slices(begun)


def test_partial_result_of_other_settings_is_refused(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        experiments.run("count", counting(calls, fail_at=2), "quick", folder=tmp_path)
    changed = counting(calls)
    changed.scales["quick"]["factor"] = 5
    with pytest.raises(ValueError, match="other settings: use --fresh"):
        experiments.run("count", changed, "quick", folder=tmp_path)


@pytest.mark.parametrize("damage", [b"", b'{"settings": {"fac', b"[]", b"{}", b"\xff\xfe"])
def test_a_partial_result_that_cannot_be_read_is_named(tmp_path, damage):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        experiments.run("count", counting(calls, fail_at=2), "quick", folder=tmp_path)
    (part,) = tmp_path.glob("*.part.json")
    part.write_bytes(damage)
    calls.clear()
    with pytest.raises(ValueError, match=r"part\.json is damaged: use --fresh to start again without it"):
        experiments.run("count", counting(calls), "quick", folder=tmp_path)
    assert calls == []
    experiments.run("count", counting(calls), "quick", folder=tmp_path, fresh=True)
    assert calls


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    _runner.write(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        _runner.write(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_missing_module_is_named_before_any_work(tmp_path):
    calls = []
    with pytest.raises(ImportError, match="needs no_such_module, which is not installed here"):
        experiments.run("count", counting(calls, needs=("json", "no_such_module")), "quick", folder=tmp_path)
    assert calls == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": "huge"}, "scale must be one of quick, paper, got 'huge'"),
        ({"folder": "absent"}, "folder must exist, got .*absent"),
        ({"minutes": 0.0}, "minutes must be positive, got 0.0"),
        ({"minutes": float("nan")}, "minutes must be positive, got nan"),
    ],
)
def test_wrong_calls(tmp_path, changes, message):
    options = {"scale": "quick", "folder": ".", "minutes": 1.0} | changes
    options["folder"] = tmp_path / options["folder"]
    with pytest.raises(ValueError, match=message):
        experiments.run("count", counting([]), **options)


def test_every_experiment_has_both_scales_and_says_its_seeds():
    assert "mnist_regression" in experiments.names()
    for name in experiments.names():
        experiment = experiments.find(name)
        assert {"quick", "paper"} <= experiment.scales.keys()
        for settings in experiment.scales.values():
            assert isinstance(settings["seeds"], list)
            pieces = experiment.slices(settings)
            assert json.loads(json.dumps(pieces)) == pieces
            assert len({json.dumps(piece) for piece in pieces}) == len(pieces) > 0


def test_command_line(tmp_path, monkeypatch, capsys):
    assert main(["--list"]) == 0
    assert "mnist_regression (quick, paper): " in capsys.readouterr().out
    assert main(["no_such", "--folder", str(tmp_path)]) == 2
    assert "name must be one of" in capsys.readouterr().err
    monkeypatch.setattr("ntk_helpers.experiments.__main__.find", lambda name: counting([]))
    assert main(["count", "--folder", str(tmp_path)]) == 0
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setattr("ntk_helpers.experiments.__main__.run", lambda *_, **__: None)
    assert main(["count", "--folder", str(tmp_path)]) == UNFINISHED
    with pytest.raises(SystemExit):
        main([])


def test_scores_equal_the_formula():
    """Against the same regression written with an explicit inverse, on a linear kernel."""
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(size=(40, 60)), rng.normal(size=(15, 60))
    y, y_test = rng.integers(10, size=40), rng.integers(10, size=15)
    kernel, ridge = x @ x.T, 0.3
    inverse = np.linalg.inv(kernel + ridge * np.trace(kernel) / 40 * np.eye(40))
    outputs = x_test @ x.T @ inverse @ (np.eye(10)[y] - 0.1) + 0.1
    measured = mnist_regression.scores(kernel, x_test @ x.T, y, y_test, ridge)
    assert measured["accuracy"] == np.mean(outputs.argmax(axis=1) == y_test)
    np.testing.assert_allclose(
        measured["squared_error"], np.mean((outputs - np.eye(10)[y_test]) ** 2), rtol=1e-10
    )


def test_quick_scale_on_the_small_images(monkeypatch):
    """The experiment from images to scores, on the digits that need no download, in MNIST's place."""
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    settings = mnist_regression.EXPERIMENT.scales["quick"] | {"train_sizes": [1_000], "test_size": 360}
    accuracy = {
        (row["kernel"], piece["depth"]): row["accuracy"]
        for piece in mnist_regression.slices(settings)
        for row in mnist_regression.run(settings, piece)["rows"]
        if row["ridge"] == 1e-3
    }
    # About 0.96 with a standard error of 0.01; the linear kernel is right in about 0.86.
    assert accuracy["ntk", 3] > 0.92
    assert accuracy["nngp", 3] > 0.92
    assert accuracy["ntk", 1] < 0.92
    # Depth 1 is linear: its NNGP and its NTK are one kernel.
    assert accuracy["ntk", 1] == accuracy["nngp", 1]


# Depth and trainability (chapter 14)


@pytest.mark.parametrize(
    "name", ["relu", "leaky_relu_0.03", "leaky_relu_0.25", "prelu", "elu", "tanh", "sigmoid"]
)
def test_initialisation_on_the_edge_is_critical(name):
    sigma_w, sigma_b, glorot = depth_and_trainability.start(name, "edge")
    activation = depth_and_trainability.activation_function(name)
    slope = (depth_and_trainability.RELU_LIKE | {"leaky_relu_0.25": 0.25}).get(name)
    if slope is not None:
        assert (sigma_w**2 * (1 + slope**2) / 2, sigma_b) == (pytest.approx(1, abs=1e-14), 0)
    else:
        q = mean_field.fixed_point(activation, sigma_w=sigma_w, sigma_b=sigma_b)
        assert mean_field.chi(activation, sigma_w=sigma_w, q=q) == pytest.approx(1, abs=1e-9)
        assert sigma_b == (0 if name == "sigmoid" else 0.2)
    assert not glorot


def test_initialisations_off_the_edge():
    assert depth_and_trainability.start("elu", "printed") == (1.227, 0.2, False)
    assert depth_and_trainability.start("softplus", "he") == (2**0.5, 0, False)
    with pytest.raises(ValueError, match="no edge of chaos"):
        depth_and_trainability.start("softplus", "edge")
    with pytest.raises(ValueError, match=r"rule must be 'edge'.*got 'printed' for relu"):
        depth_and_trainability.start("relu", "printed")


def test_glorot_takes_both_widths_of_a_layer():
    net = depth_and_trainability.network("sigmoid", "glorot", inputs=600, width=200, depth=3)
    params = depth_and_trainability.initial(net, "glorot", jax.random.split(jax.random.key(0), 2))
    for (weights, biases), (_, n_out, n_in) in zip(params, net.runs, strict=True):
        entries = np.asarray(weights).ravel()
        # the variance of N Gaussian entries has the relative standard error sqrt(2 / N)
        assert np.var(entries) * (n_in + n_out) / 2 == pytest.approx(1, abs=4 * (2 / len(entries)) ** 0.5)
        assert not np.any(biases)


def test_trained_slopes_start_as_leaky_relu():
    net = depth_and_trainability.network("prelu", "edge", inputs=5, width=8, depth=6)
    params = net.init(jax.random.key(0))
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    (slopes, last) = jax.tree.map(lambda leaf: leaf[0], depth_and_trainability.prelu_slopes(net, 1))
    assert len(slopes) + len(last) == 5
    apply = partial(depth_and_trainability.prelu_apply, net)
    np.testing.assert_array_equal(apply((params, (slopes, last)), x), net.apply(params, x))
    # slope one makes the network linear, layer by layer
    linear = dataclasses.replace(net, activation="linear").apply(params, x)
    np.testing.assert_allclose(apply((params, (slopes * 4, last * 4)), x), linear, rtol=1e-6)
    grad = jax.grad(lambda slopes: apply((params, slopes), x).sum())((slopes, last))
    assert all(np.all(np.asarray(g) != 0) for g in grad)


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_kernels_of_the_correlation_equal_the_recursion(name):
    x = mnist_regression.unit_pixels(np.abs(np.random.default_rng(0).normal(size=(12, 30))))
    sigma_w, sigma_b, _ = depth_and_trainability.start(name, "edge")
    expected = fcn_kernels(x, depth=20, activation=name, sigma_w=sigma_w, sigma_b=sigma_b)
    nngp, ntk = depth_and_trainability.wide_kernels(x, name, "edge", depth=20)
    # 60 points, a cubic spline: (log(range) / 60)^4 is about 1e-6
    np.testing.assert_allclose(nngp, expected.nngp, rtol=2e-6)
    np.testing.assert_allclose(ntk, expected.ntk, rtol=2e-6)


@pytest.mark.parametrize("name", ["relu", "elu", "tanh"])
def test_factor_of_the_standard_parameterisation(name):
    """Against the recursion with the standard parameterisation's own sources, for two different inputs."""
    depth, width = 200, 300
    sigma_w, sigma_b, _ = depth_and_trainability.start(name, "edge")
    q1 = sigma_w**2 + sigma_b**2
    layers = depth_profile(
        range(1, depth + 1), activation=name, sigma_w=sigma_w, sigma_b=sigma_b, q1=(q1, q1), c1=0.6
    )
    chain = (layers.ntk[1:] - layers.nngp[1:]) / layers.ntk[:-1]
    sources = width * (layers.nngp - sigma_b**2) / sigma_w**2 + 1
    kernel = sources[0]
    for step, source in zip(chain, sources[1:], strict=True):
        kernel = source + step * kernel
    factor = depth_and_trainability.standard_factor(name, "edge", width=width, depth=depth)
    assert factor * layers.ntk[-1] == pytest.approx(kernel, rel=2 / depth)


def test_infinite_width_as_a_linear_model(double_precision):
    """One step of full-batch training is the step in function space, from outputs with the NNGP."""
    rng = np.random.default_rng(0)
    x = mnist_regression.unit_pixels(np.abs(rng.normal(size=(30, 20))))
    labels = rng.integers(10, size=20)
    nngp, ntk = depth_and_trainability.wide_kernels(x, "relu", "edge", depth=5)
    draws, factor, rate = 400, 3.0, 0.05
    net, params, features = depth_and_trainability.wide_problem(
        (nngp, ntk), labels, draws, jax.random.key(0), factor=factor
    )
    before = np.asarray(jax.vmap(net, (0, None))(params, features), np.float64)
    sampled = np.einsum("mik,mjk->ij", before, before) / (10 * draws)
    # each entry is a mean over 4,000 products, of relative standard error below sqrt(2 / 4000)
    np.testing.assert_allclose(sampled, nngp, atol=5 * (2 / 4000) ** 0.5 * nngp.max())
    trained = training.train(
        net, params, features[:20], labels, learning_rate=rate, steps=1, loss="cross_entropy"
    )
    after = np.asarray(jax.vmap(net, (0, None))(trained.params, features), np.float64)
    pull = jax.nn.softmax(before[:, :20]) - np.eye(10)[labels]
    moved = -rate / 20 * factor * np.einsum("ij,mjk->mik", ntk[:, :20], pull)
    np.testing.assert_allclose(after - before, moved, atol=2e-5)
    np.testing.assert_array_equal(trained.params[1], params[1])


def test_deep_networks_on_the_small_images(monkeypatch):
    """Cells from images to curves: finite and infinite width, printed and normalised learning rates."""
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    settings = depth_and_trainability.EXPERIMENT.scales["quick"] | {
        "test_size": 360,
        "learning_rates": {"5": 1e-2},
        "wide_train_size": 600,
    }
    cell = {"data": "mnist", "depth": 5, "initialisation": "edge", "networks": 2, "steps": [10, 100]}
    for width, name, rate in (
        (30, "tanh", "normalised"),
        (30, "prelu", "printed"),
        (None, "relu", "printed"),
    ):
        piece = cell | {"width": width, "activation": name, "rate": rate}
        result = depth_and_trainability.run(settings, piece)
        json.dumps(result, allow_nan=False)
        assert result["steps"] == [0, 10, 100]
        assert result["diverged"] == [False, False]
        assert np.shape(result["test_accuracy"]) == (2, 3)
        assert np.shape(result["train_loss"]) == (2, 2)
        # shallow networks learn the digits; chance is 0.1
        assert np.min(result["test_accuracy"], axis=0)[-1] > 0.6
        assert np.all(np.diff(result["test_loss"], axis=1) < 0)
        if rate == "normalised":
            product = np.multiply(result["learning_rate"], result["largest_eigenvalue"])
            np.testing.assert_allclose(product, 1.0, rtol=1e-4)
        else:
            expected = 1e-2 if width is None else 1e-2 * 300 / width
            np.testing.assert_allclose(result["learning_rate"], expected)
    depth_and_trainability.images.cache_clear()  # these were not MNIST


def test_diverged_network_is_recorded():
    """A rate far too large ends in a loss that is not finite; the curves stay JSON."""
    rng = np.random.default_rng(0)
    net = depth_and_trainability.network("relu", "he", inputs=4, width=8, depth=3)
    params = depth_and_trainability.initial(net, "he", jax.random.split(jax.random.key(0), 2))
    x, y = rng.normal(size=(16, 4)).astype(np.float32), rng.integers(10, size=16)
    curves = depth_and_trainability.measured(
        net.apply,
        params,
        x,
        y,
        x,
        y,
        rate=np.array([1e-3, 1e30]),
        steps=20,
        at=[0, 10, 20],
        batch_size=8,
        key=jax.random.key(0),
    )
    json.dumps(curves, allow_nan=False)
    assert curves["diverged"] == [False, True]
    assert None not in curves["train_loss"][0]
    assert curves["train_loss"][1][-1] is None


def test_kernels_in_training_by_automatic_differentiation():
    """Two steps of the full batch, where the order of the examples does not matter, and the kernels."""
    rng = np.random.default_rng(0)
    x, y, probes = (rng.normal(size=shape).astype(np.float32) for shape in ((12, 3), (12, 1), (4, 3)))
    net = Network((3, 20, 20, 1), "tanh", sigma_w=1.5, sigma_b=0.3)
    keys = jax.random.split(jax.random.key(0), 2)
    options = {"learning_rate": 0.3, "batch_size": 12, "at": [0, 2]}
    kernels, trained = kernel_ratio.kernels_in_training(net, keys, x, y, probes, **options)
    assert kernels.shape == (2, 2, 4, 4)
    assert trained.losses.shape == (2, 2)
    gradient = jax.grad(lambda params: jax.numpy.mean((net.apply(params, x) - y) ** 2) / 2)

    def kernel(params):
        rows = jax.tree.leaves(jax.jacobian(lambda p: net.apply(p, probes)[:, 0])(params))
        flat = np.concatenate([np.asarray(row, np.float64).reshape(4, -1) for row in rows], axis=1)
        return flat @ flat.T

    for key, measured in zip(keys, kernels, strict=True):
        start = stepped = net.init(jax.random.split(key)[0])
        for _ in range(2):
            stepped = jax.tree.map(lambda p, g: p - 0.3 * g, stepped, gradient(stepped))
        # float32, sums of 20 terms in three layers
        np.testing.assert_allclose(measured[0], kernel(start), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(measured[1], kernel(stepped), rtol=1e-4, atol=1e-4)
        assert np.abs(measured[1] - measured[0]).max() > 1e-2


def test_kernel_ratio_on_the_small_images(monkeypatch):
    """At the start with the exact mean and variance of one hidden layer, 3 / n; then two steps."""
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    settings = kernel_ratio.EXPERIMENT.scales["quick"] | {"at": [0, 2], "train_size": 64}
    start = {"depth": 2, "seed": 0, "width": 40, "count": 400, "steps": 0}
    result = kernel_ratio.run(settings, start)
    json.dumps(result, allow_nan=False)
    diagonal = np.array(result["diagonal"])
    assert diagonal.shape == (400, 1, 6)
    assert np.shape(result["pairs"]) == (400, 1, 3)
    # Standard errors: of the mean sqrt(3 / n / m); of the variance, at a kurtosis of 5, sqrt(4 / m) of it.
    assert np.abs(diagonal.mean(axis=0) - 1).max() < 4 * np.sqrt(3 / 40 / 400)
    np.testing.assert_allclose(diagonal.var(axis=0, ddof=1), 3 / 40, rtol=4 * np.sqrt(4 / 400))

    result = kernel_ratio.run(settings, start | {"count": 3, "steps": 2})
    json.dumps(result, allow_nan=False)
    assert result["at"] == [0, 2]
    assert np.shape(result["pairs"]) == (3, 2, 3)
    assert np.shape(result["losses"]) == (3, 1)
    assert result["diverged"] == [False] * 3
    first, last = np.moveaxis(result["diagonal"], 1, 0)
    assert 0 < np.abs(last - first).max() < 1


def test_kernel_ratio_of_the_limit(monkeypatch):
    """SGD with a frozen kernel against the same in the weights of a linear model; then a slice of it."""
    from ntk_helpers import data

    rng = np.random.default_rng(0)
    x, y, weights, losses = rng.normal(size=(42, 5)), rng.normal(size=42), np.zeros(5), []
    for batch in np.arange(40).reshape(10, 4):
        residual = x[batch] @ weights - y[batch]
        losses.append(np.sum(residual**2) / 8)
        weights -= 0.1 * x[batch].T @ residual / 4
    found = kernel_ratio.frozen_losses(x @ x.T, y, learning_rate=0.1, batch_size=4)
    np.testing.assert_allclose(found, losses, rtol=1e-12)

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    settings = kernel_ratio.EXPERIMENT.scales["frozen"] | {"at": [0, 1, 60]}
    result = kernel_ratio.run(settings, {"depth": 3, "seed": 0, "width": None, "count": 1, "steps": 60})
    first, last = result["losses"][0]
    assert result["at"] == [0, 1, 60]
    assert first == 0.5
    assert last < 0.4


def test_kernel_ratio_writes_what_diverges_as_none():
    assert kernel_ratio._rounded(np.array([[1.234567, np.inf], [np.nan, 2]])) == [[1.2346, None], [None, 2.0]]
    kernel = np.arange(16.0).reshape(4, 4)
    assert kernel_ratio.pairs_of(kernel).tolist() == [1.0, 11.0]


INITIAL_KERNELS = initial_kernels.EXPERIMENT.scales["quick"] | {
    "inputs": 4,
    "input_dimension": 12,
    "widths": [32],
    "networks": 1_200,
    "averages": [1, 4],
}


def one_layer_variance(x, settings):
    """n times the summed variance of both kernels, Gaussian weights, from sampled neurons.

    With one hidden layer the kernels are averages over independent neurons: many neurons, drawn with numpy
    alone, give the variance of one.
    """
    rng = np.random.default_rng(5)
    sigma_w, sigma_b = settings["sigma_w"], settings["sigma_b"]
    first = sigma_b**2 + sigma_w**2 * x @ x.T / x.shape[1]
    y = rng.normal(size=(200_000, len(x))) @ np.linalg.cholesky(first).T
    z, active = np.maximum(y, 0), (y > 0) * rng.normal(size=(len(y), 1))
    nngp = sigma_w**2 * z[:, :, None] * z[:, None, :]
    ntk = nngp + sigma_w**2 * first * active[:, :, None] * active[:, None, :]
    return nngp.var(0).sum(), ntk.var(0).sum()


def test_initial_kernels_of_gaussian_weights_have_the_exact_error():
    """Mean squared errors are V / (n M) over the squared norm, with V from single neurons."""
    (piece, _) = initial_kernels.slices(INITIAL_KERNELS)
    assert piece == {"weights": "gaussian", "width": 32}
    x = initial_kernels.inputs(INITIAL_KERNELS)
    assert x.shape == (4, 12)
    limits = fcn_kernels(x, depth=2, activation="relu", sigma_w=1.5, sigma_b=0.1)
    rows = initial_kernels.run(INITIAL_KERNELS, piece)["rows"]
    assert [(row["kernel"], row["average"]) for row in rows] == [
        ("nngp", 1),
        ("nngp", 4),
        ("ntk", 1),
        ("ntk", 4),
    ]
    variances = dict(zip(("nngp", "ntk"), one_layer_variance(x, INITIAL_KERNELS), strict=True))
    for row in rows:
        limit = getattr(limits, row["kernel"])
        exact = variances[row["kernel"]] / (32 * row["average"]) / np.sum(limit**2)
        # The exact value itself has an error of about 1 % from its 200,000 neurons.
        assert abs(row["mean_square"] - exact) < 4 * row["standard_error"] + 0.03 * exact


def test_initial_kernels_of_orthogonal_weights_are_closer():
    """A layer wider than its input keeps quadratic functions fixed: the error is smaller by about a third."""
    gaussian, orthogonal = (
        {(row["kernel"], row["average"]): row for row in initial_kernels.run(INITIAL_KERNELS, piece)["rows"]}
        for piece in initial_kernels.slices(INITIAL_KERNELS)
    )
    for key, row in orthogonal.items():
        error = np.hypot(row["standard_error"], gaussian[key]["standard_error"])
        assert row["mean_square"] < gaussian[key]["mean_square"] - 4 * error
        assert row["mean_square"] > 0.4 * gaussian[key]["mean_square"]


def test_slices_of_initial_kernels_draw_independent_networks(monkeypatch):
    """Ensembles and widths must not share a key: equal keys give correlated draws."""
    seen = []

    def note(net, key, x, networks):
        seen.append(jax.random.key_data(key).tolist())
        return tuple(np.ones((networks, len(x), len(x))) for _ in range(2))

    monkeypatch.setattr(initial_kernels, "sampled_kernels", note)
    settings = INITIAL_KERNELS | {"widths": [8, 16, 32], "networks": 8}
    for piece in initial_kernels.slices(settings):
        initial_kernels.run(settings, piece)
    assert len({tuple(key) for key in seen}) == 6


def test_error_statistics_equal_the_definition():
    """Two groups of two, by hand."""
    limit = np.array([[3.0, 0.0], [0.0, 4.0]])
    shifts = np.array([1.0, 3.0, -1.0, 0.0])
    samples = limit + shifts[:, None, None]
    statistics = initial_kernels.error_statistics(samples, limit, 2)
    # Group means are off by 2 and by -1/2 in all four entries; the squared norm of the limit is 25.
    squares = np.array([4 * 4.0, 4 * 0.25]) / 25
    assert statistics["mean_square"] == pytest.approx(squares.mean())
    assert statistics["first"] == pytest.approx(np.sqrt(squares[0]))
    assert statistics["standard_error"] == pytest.approx(abs(squares[0] - squares[1]) / 2)


# Small learning rates (chapter 15)


def test_rows_have_training_before_and_test_after_the_update():
    rows = [1, 2, 5]
    at = small_learning_rates.observed_at(rows)
    assert at == [0, 1, 2, 4, 5]
    curves = small_learning_rates.as_rows(
        rows, {"train_loss": np.array([at]), "test_loss": np.array([[*at[:-1], np.inf]])}
    )
    assert curves == {"train_loss": [[0, 1, 4]], "test_loss": [[1, 2, None]]}


def test_summed_squares_are_twice_the_squared_loss():
    rng = np.random.default_rng(0)
    outputs, targets = rng.normal(size=(2, 7, 3))
    expected = np.mean(np.sum((outputs - targets) ** 2, axis=1))
    assert small_learning_rates.summed_squares(outputs, targets) == pytest.approx(expected, rel=1e-6)
    assert 2 * training.squared(outputs, targets) == pytest.approx(expected, rel=1e-6)


def test_kernel_of_the_standard_parameterisation():
    """Against automatic differentiation of wide networks of unequal widths."""
    x = np.random.default_rng(0).normal(size=(5, 30))
    widths = (30, 500, 400, 20)
    function = {"activation": "tanh", "sigma_w": 1.5**0.5, "sigma_b": 0.3}
    derived = small_learning_rates.standard_ntk(x, widths=widths, **function)
    net = Network(widths, parameterization="standard", **function)
    draws = np.stack(
        [empirical_ntk(net, net.init(key), x) for key in jax.random.split(jax.random.key(0), 24)]
    )
    error = draws.std(axis=0, ddof=1) / 24**0.5
    # of 15 entries none is off by five standard errors; the next order in 1/n is below 1/100
    assert np.all(np.abs(draws.mean(axis=0) - derived) < 5 * error + 0.01 * np.abs(derived).max())
    assert np.max(error / np.abs(derived).max()) < 0.02
    # One layer, y = W x + b: exactly x.x' + 1. The biases' share of the deep kernel is below its errors.
    linear = small_learning_rates.standard_ntk(x, widths=(30, 20), **function)
    np.testing.assert_allclose(linear, x @ x.T + 1, rtol=1e-10, atol=1e-10)


def small_figure(number, **changes):
    figure = small_learning_rates.FIGURES[number] | {"rows": [1, 2, 5, 20], "width": 32}
    return figure | {"train_size": 64, "test_size": 32, "networks": 2, "stack": 2} | changes


@pytest.mark.parametrize(("number", "batch"), [(0, None), (2, 16), (3, 16)])
def test_both_ensembles_on_the_small_images(monkeypatch, number, batch):
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    figure = small_figure(number, batch_size=batch)
    settings = {"seeds": [0, 1], "figures": [figure]}
    pieces = small_learning_rates.slices(settings)
    assert [piece["weights"] for piece in pieces] == (
        ["infinite", "gaussian", "orthogonal"] if batch is None else ["gaussian", "orthogonal"]
    )
    results = {piece["weights"]: small_learning_rates.run(settings, piece) for piece in pieces}
    json.dumps(results, allow_nan=False)
    for weights, result in results.items():
        rows = small_learning_rates.FULL_BATCH_ROWS if weights == "infinite" else figure["rows"]
        for name in ("train_accuracy", "train_loss", "test_accuracy", "test_loss"):
            assert np.shape(result[name]) == (2, len(rows))
    gaussian, orthogonal = results["gaussian"], results["orthogonal"]
    assert not np.any(gaussian["diverged"])
    assert gaussian["train_loss"] != orthogonal["train_loss"]
    # the step size is small: the loss falls, but is not at its end
    assert np.all(np.diff(gaussian["train_loss"], axis=1)[:, -1] < 0)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_coordinates_within_the_span_change_no_output(weights):
    """Networks on 5 + 4 inputs in 30 dimensions train as those on the inputs' 9 coordinates do."""
    rng = np.random.default_rng(0)
    x, x_test = (rng.normal(size=(n, 30)).astype(np.float32) for n in (5, 4))
    y = rng.normal(size=(5, 2)).astype(np.float32)
    net = Network(
        (30, 16, 16, 2), "tanh", sigma_w=1.2, sigma_b=0.1, weights=weights, parameterization="standard"
    )
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(0), 3))
    narrow, coordinates, z, z_test = small_learning_rates.within_span(net, params, x, x_test)
    assert narrow.widths == (9, 16, 16, 2)
    outputs = []
    for model, start, inputs, unseen in ((net, params, x, x_test), (narrow, coordinates, z, z_test)):
        trained = training.train(
            model,
            start,
            inputs,
            y,
            learning_rate=0.02,
            steps=20,
            observe=partial(model.apply, x=np.concatenate([inputs, unseen])),
            at=[0, 20],
        )
        outputs.append(trained.observations)
    # float32, sums of 30 terms in three layers
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-5)
    assert np.abs(outputs[0][:, 1, 5:] - outputs[0][:, 0, 5:]).max() > 0.1


# Lazy training: Figure 2 of paper O.


def lazy_settings(**changes):
    small = {"images": 6, "networks": [[8, 3, 2], [12, 1, 1]], "steps": [1, 5], "learning_rate": 0.05}
    return lazy_training.EXPERIMENT.scales["quick"] | small | changes


def test_lazy_slices_cover_every_network_once():
    for settings in [*lazy_training.EXPERIMENT.scales.values(), lazy_settings()]:
        seen = [(p["width"], seed) for p in lazy_training.slices(settings) for seed in p["seeds"]]
        assert sorted(seen) == [(w, seed) for w, count, _ in settings["networks"] for seed in range(count)]


def test_layer_shares_of_a_linear_network():
    """phi(x) = x: Theta_w^l = sigma_w^2 F^{l-1} sigma_w^{2 (L - l)}, with F^l = Sigma^l."""
    x = np.random.default_rng(0).normal(size=(5, 7))
    shares = lazy_training.layer_shares(x, depth=3, activation="linear", sigma_w=1.3, sigma_b=0.4)
    f = x @ x.T / 7
    for layer in range(3):
        np.testing.assert_allclose(shares[layer], 1.3 ** (2 * (3 - layer)) * f, rtol=1e-12)
        f = 0.4**2 + 1.3**2 * f


def test_predicted_changes_are_exact_where_the_network_is_linear_in_its_weights():
    """One layer has a constant kernel at any width: prediction and training agree to rounding."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(5, 7)), rng.normal(size=(5, 3))
    net = Network((7, 3), "erf", sigma_w=1.2, sigma_b=0.3)
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(0), 2))
    for rows in lazy_training.changes(net, params, x, y, learning_rate=0.4, at=[1, 20]):
        assert [row["steps"] for row in rows] == [0, 1, 20]
        for row in rows:
            # Five digits are kept of each; training is in float32.
            np.testing.assert_allclose(row["weights"], row["weights_predicted"], rtol=1e-4)
            assert row["jacobian"] == row["ntk"] == row["ntk_outputs"] == 0
        assert rows[0]["weights"] == [0.0] < rows[1]["weights"] < rows[2]["weights"]
        assert rows[2]["loss"] < rows[0]["loss"]


def test_rows_of_a_network_that_diverges_end_where_numbers_are_not_finite():
    rng = np.random.default_rng(4)
    net = Network((7, 3), "erf", sigma_w=1.2, sigma_b=0.3)
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(0), 1))
    x, y = rng.normal(size=(5, 7)), rng.normal(size=(5, 3))
    with pytest.warns(UserWarning, match="above the stability threshold"):
        (rows,) = lazy_training.changes(net, params, x, y, learning_rate=1e30, at=[1, 2])
    assert [row["steps"] for row in rows] == [0]
    json.dumps(rows, allow_nan=False)


def test_changes_agree_with_the_definitions(monkeypatch):
    """Against plain gradient descent and whole Jacobians by automatic differentiation."""
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    monkeypatch.setattr(lazy_training, "PROBES", 4000)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")
    net = Network((5, 9, 8, 2), "erf", sigma_w=1.4, sigma_b=0.2)
    params = jax.vmap(net.init)(jax.random.split(jax.random.key(3), 1))
    (rows,) = lazy_training.changes(net, params, x, y, learning_rate=0.3, at=[3])

    begin, unravel = ravel_pytree(jax.tree.map(lambda leaf: leaf[0], params))
    outputs = lambda theta: net.apply(unravel(theta), x)  # noqa: E731
    end = begin
    for _ in range(3):
        end -= 0.3 * jax.grad(lambda theta: jnp.sum((outputs(theta) - y) ** 2) / 8)(end)
    before, after = (np.asarray(jax.jacobian(outputs)(theta)) for theta in (begin, end))
    full = [np.einsum("ikp,jlp->ijkl", jacobian, jacobian) for jacobian in (before, after)]

    def norm_ratio(new, old):
        return np.linalg.norm(new - old) / np.linalg.norm(old)

    row = rows[-1]
    np.testing.assert_allclose(row["loss"], np.sum((outputs(end) - y) ** 2) / 8, rtol=1e-4)
    np.testing.assert_allclose(row["ntk_outputs"], norm_ratio(*full[::-1]), rtol=1e-3)
    traced = [np.einsum("ijkk->ij", kernel) for kernel in full]
    np.testing.assert_allclose(row["ntk"], norm_ratio(*traced[::-1]), rtol=1e-3)
    weights = [[np.asarray(w) for w, _ in net.layers(unravel(theta))] for theta in (begin, end)]
    np.testing.assert_allclose(
        row["weights"], [norm_ratio(*pair[::-1]) for pair in zip(*weights, strict=True)], rtol=1e-3
    )
    # One probe has a relative variance of at most 2 in the squared norm: 4000 leave a hundredth in the norm.
    np.testing.assert_allclose(row["jacobian"], norm_ratio(after, before), rtol=0.05)


def test_lazy_training_on_the_small_images(monkeypatch):
    """From images to rows, on the digits in MNIST's place."""
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    piece = {"width": 8, "seeds": [0, 1]}
    result = lazy_training.run(lazy_settings(), piece)
    assert list(result) == ["gaussian", "orthogonal"]
    assert [[row["steps"] for row in rows] for rows in result["orthogonal"]] == [[0, 1, 5]] * 2
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    # The ensembles share their biases but not their weights.
    assert result["gaussian"][0][0]["loss"] != result["orthogonal"][0][0]["loss"]


def test_widths_and_seeds_of_lazy_training_draw_independent_networks():
    """One key at two widths gives arrays of which one begins like the other."""
    pieces = [{"width": width, "seeds": [0, 1]} for width in (8, 16, 32)]
    keys = np.concatenate([jax.random.key_data(lazy_training.keys_of(piece)) for piece in pieces])
    assert len(np.unique(keys, axis=0)) == 6


REFERENCE = os.environ.get("NTK_BOOK_REFERENCE")


@pytest.mark.skipif(REFERENCE is None, reason="NTK_BOOK_REFERENCE does not name the authors' numbers")
def test_the_authors_numbers_at_small_learning_rates():
    """At the start they have biases of variance 0.01, not 0.1; later the ensembles differ."""

    authors = json.loads((Path(REFERENCE) / "huang_full_batch_L3_N400.json").read_text())
    runs = 30

    def row(ensemble, step):
        (found,) = [row for row in authors[ensemble] if row["step"] == step]
        return np.array(found["train_loss"])

    try:
        images = small_learning_rates.images(small_learning_rates.FIGURES[0])[0]
    except FileNotFoundError:
        pytest.skip("CIFAR-10 is not here")
    function = {"depth": 4, "activation": "tanh", "sigma_w": 1.5**0.5}
    first = np.mean([row(ensemble, 1) for ensemble in ("gaussian", "orthogonal")], axis=0)
    misses = {}
    for variance in (0.01, 0.1):
        nngp = fcn_kernels(images.astype(np.float64), sigma_b=variance**0.5, **function).nngp
        # ten independent outputs against one-hot targets, a mean over the images
        mean, deviation = 1 + 10 * np.mean(np.diag(nngp)), np.sqrt(20 * np.mean(nngp**2))
        misses[variance] = abs(first[0] - mean) / (deviation / (2 * runs) ** 0.5)
    assert misses[0.01] < 3
    assert misses[0.1] > 6
    # at step 1,000 the orthogonal networks are ahead, by many standard errors and by a few per cent
    gaussian, orthogonal = row("gaussian", 1000), row("orthogonal", 1000)
    error = np.hypot(gaussian[1], orthogonal[1]) / runs**0.5
    assert (gaussian[0] - orthogonal[0]) / error > 5
    assert 0.03 < 1 - orthogonal[0] / gaussian[0] < 0.12


@pytest.mark.skipif(REFERENCE is None, reason="NTK_BOOK_REFERENCE does not name the authors' numbers")
@pytest.mark.parametrize(("panel", "source"), [("3ab", "L3_N400"), ("3cd", "L7_N800")])
def test_the_authors_numbers_at_small_learning_rates_are_copied_right(panel, source):
    authors = json.loads((Path(REFERENCE) / f"huang_full_batch_{source}.json").read_text())
    ours = json.loads((RESULTS / "published" / f"huang_figure_{panel}.json").read_text())
    for weights in ("gaussian", "orthogonal"):
        assert ours["step"] == [row["step"] for row in authors[weights]]
        assert {row.get("runs", 30) for row in authors[weights]} == {ours["runs"]}
        for name, curve in ours[weights].items():
            assert curve["mean"] == [row[name][0] for row in authors[weights]]
            assert curve["std"] == [row[name][1] for row in authors[weights]]


def small_full_batch(monkeypatch, tmp_path, **changes):
    """Figure 3 (c, d) in small, on the digits in CIFAR-10's place, with parameters kept in tmp_path."""
    from ntk_helpers import data

    digits = data.load("digits")
    monkeypatch.setattr(data, "load", lambda name: digits)
    monkeypatch.setattr(small_learning_rates.tempfile, "gettempdir", lambda: str(tmp_path))
    reduced = {
        "width": 12,
        "layers": 3,
        "train_size": 20,
        "test_size": 10,
        "shown": 20,
        "learning_rate": 1e-2,
    }
    return small_learning_rates.FIGURES[1] | reduced | {"rows": [1, 2, 5, 6, 9]} | changes


def test_stretches_make_the_whole_run(monkeypatch, tmp_path):
    """In stretches, and where the parameters kept between them are lost, the curves are those of one run."""
    settings = small_full_batch(monkeypatch, tmp_path)
    whole = small_learning_rates.finite(settings, "orthogonal", [3])
    first = small_learning_rates.finite(settings, "orthogonal", [3], [0, 5])
    for kept in (True, False):
        if not kept:
            for file in (tmp_path / "ntk_helpers_stretches").iterdir():
                file.unlink()
        second = small_learning_rates.finite(settings, "orthogonal", [3], [5, 9])
        for name in ("train_loss", "test_loss", "train_accuracy", "test_accuracy"):
            np.testing.assert_allclose(
                np.concatenate([first[name], second[name]], axis=1), whole[name], rtol=1e-4
            )


def test_stretches_bring_all_networks_to_a_row_before_the_next():
    settings = small_learning_rates.EXPERIMENT.scales["3cd"]
    pieces = [piece for piece in small_learning_rates.slices(settings) if "stretch" in piece]
    assert [piece["stretch"][1] for piece in pieces] == [end for end in settings["ends"] for _ in range(12)]
    assert {piece["weights"] for piece in pieces if piece["figure"] != "3cd"} == {"orthogonal"}
    row_before = {tuple(piece["stretch"]) for piece in pieces}
    assert sorted(row_before) == list(zip([0, *settings["ends"]], settings["ends"], strict=False))


def test_the_limit_from_the_starts_of_networks(monkeypatch, tmp_path):
    """Before the first update it has their losses; wide networks follow it, and none from other starts."""
    settings = small_full_batch(monkeypatch, tmp_path, width=800, learning_rate=1e-3)
    scale = {"seeds": [3, 4], "own_starts": True, "figures": [settings]}
    for piece in small_learning_rates.slices(scale):
        limit = np.array(small_learning_rates.run(scale, piece)["train_loss"])
        trained = np.array(small_learning_rates.finite(settings, piece["weights"], [3, 4])["train_loss"])
        np.testing.assert_allclose(limit[:, 0], trained[:, 0], rtol=1e-4)
        drawn = np.array(small_learning_rates.predicted(settings, [3, 4])["train_loss"])
        assert 10 * np.max(np.abs(np.log(limit / trained)[:, 1:3])) < np.max(np.abs(np.log(drawn / trained)))


def test_the_limit_at_a_tenth_of_the_rate_needs_ten_times_the_steps(monkeypatch, tmp_path):
    settings = small_full_batch(monkeypatch, tmp_path, rows=[1000], learning_rate=1e-3)
    slow = settings | {"rows": [10_000], "learning_rate": 1e-4}
    fast, slow = (small_learning_rates.predicted(s, [3])["train_loss"][0][0] for s in (settings, slow))
    assert slow == pytest.approx(fast, rel=5e-3)
    assert fast < 1


@pytest.mark.skipif(REFERENCE is None, reason="NTK_BOOK_REFERENCE does not name the authors' numbers")
def test_the_panels_as_drawn_end_where_the_book_says():
    note = json.loads((Path(REFERENCE) / "huang_full_batch_L3_N400.json").read_text())["protocol"]["note"]
    ours = json.loads((RESULTS / "published" / "huang_figure_3ab.json").read_text())["note"]
    ends = [float(re.search(r"end[s]? at a training loss of (0\.\d+)", text)[1]) for text in (note, ours)]
    assert ends == pytest.approx([0.415, 0.415], abs=0.006)
    assert "at 1e-4" in note


def test_first_loss_is_that_of_wide_networks(monkeypatch, tmp_path):
    import jax.numpy as jnp

    settings = small_full_batch(monkeypatch, tmp_path, width=600)
    predicted = small_learning_rates.first_loss(settings)
    x, labels, *_ = small_learning_rates.images(settings)
    net = small_learning_rates.network(settings, "gaussian", x.shape[1])
    y = np.eye(10)[labels]
    for name, loss in (
        ("mean", small_learning_rates.summed_squares),
        ("softmax", small_learning_rates.softmax_squares),
    ):
        keys = jax.random.split(jax.random.key(0), 300)
        losses = jax.lax.map(lambda key, loss=loss: loss(net.apply(net.init(key), jnp.asarray(x)), y), keys)
        error = np.std(losses) / np.sqrt(len(losses))
        assert abs(np.mean(losses) - predicted[name]) < 4 * error + 0.01 * predicted[name]
        if name == "mean":
            assert np.std(losses) == pytest.approx(predicted["deviation"], rel=0.25)


# What the kernel knows of the classes (chapter 14)


def test_alignment_is_that_of_a_step_of_descent():
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(size=(40, 6)), rng.normal(size=(30, 6))
    y, y_test = rng.integers(10, size=40), rng.integers(10, size=30)
    # A linear model that starts at zero has the kernel x x^T and equal probabilities.
    step = jax.grad(lambda weights: training.cross_entropy(x @ weights, y))(np.zeros((6, 10)))
    moved = -x_test @ np.asarray(step)
    centred = [values - values.mean(axis=0) for values in (moved, np.eye(10)[y_test])]
    expected = np.corrcoef(*(values.ravel() for values in centred))[0, 1]
    found = kernel_alignment.alignment(x_test @ x.T, y, y_test)
    assert found == pytest.approx(expected, abs=1e-5)  # float32 in the gradient
    assert kernel_alignment.alignment(5 * x_test @ x.T + 3, y, y_test) == pytest.approx(found, abs=1e-12)


def test_noise_brings_the_alignment_down():
    rng = np.random.default_rng(1)
    y, y_test = rng.integers(10, size=(2, 2000))
    signal = np.equal.outer(y_test, y) + 0.3 * rng.normal(size=(2000, 1))
    noise = rng.normal(size=(2000, 2000))
    sizes = [np.var(part @ (np.eye(10)[y] - 0.1), axis=0).sum() for part in (noise, signal)]
    before, after = (kernel_alignment.alignment(part, y, y_test) for part in (signal, signal + 8 * noise))
    assert after < before / 1.3
    # the standard error of a correlation of 2000 x 9 numbers, and the covariance of noise and signal
    assert after == pytest.approx(before / np.sqrt(1 + 64 * sizes[0] / sizes[1]), abs=4 / np.sqrt(2000))


def test_inner_products_tell_the_noise_over_the_signal():
    rng = np.random.default_rng(2)
    y = rng.integers(10, size=400)
    signal = rng.normal(size=(300, 400))
    kernels = signal + 2 * rng.normal(size=(12, 300, 400))
    found = kernel_alignment.inner_products(kernels, signal, y)
    assert len(found["pairs"]) == 66
    # nu = 2; an inner product of 300 x 10 numbers scatters by 1 / sqrt(3000)
    assert np.mean(found["pairs"]) == pytest.approx(1 / 5, abs=0.02)
    assert np.mean(found["limit"]) == pytest.approx(1 / np.sqrt(5), abs=0.02)
    u = [kernel_alignment.movements(kernel, y).ravel() for kernel in kernels[[0, 2]]]
    assert found["pairs"][1] == pytest.approx(np.corrcoef(*u)[0, 1], abs=1e-4)


def test_both_parameterisations_have_one_alignment():
    """The limit is taken in the NTK parameterisation, the networks are in the standard one."""
    from ntk_helpers import data

    digits = data.load("digits")
    x = mnist_regression.unit_pixels(np.concatenate([digits.x_train[:50], digits.x_test[:50]]))
    sigma_w, _, _ = depth_and_trainability.start("relu", "edge")
    _, kernel = depth_and_trainability.wide_kernels(x, "relu", "edge", depth=100)
    widths = (64, *[300] * 99, 10)
    standard = small_learning_rates.standard_ntk(
        x, widths=widths, activation="relu", sigma_w=sigma_w, sigma_b=1e-4
    )
    labels = digits.y_train[:50], digits.y_test[:50]
    one, other = (kernel_alignment.alignment(K[50:, :50], *labels) for K in (kernel, standard))
    # the first layer counts 64 in place of 300 inputs: one layer of a hundred
    assert one == pytest.approx(other, abs=5e-3)
    assert one > 0.5


def test_kernel_alignment_on_the_small_images(monkeypatch):
    from ntk_helpers import data

    digits = data.load("digits")
    x, x_test = (
        mnist_regression.unit_pixels(part).astype("float32") for part in (digits.x_train, digits.x_test)
    )
    monkeypatch.setattr(
        kernel_alignment, "images", lambda name, k: (x, digits.y_train, x_test[:k], digits.y_test[:k])
    )
    settings = {"images": 60, "depth": 3, "seeds": [0, 1, 2]}
    narrow, wide = (kernel_alignment.run(settings, {"activation": "elu", "width": n}) for n in (6, 1000))
    json.dumps([narrow, wide], allow_nan=False)
    assert narrow["limit"] == wide["limit"] > 0.5
    assert max(narrow["alignment"]) < min(wide["alignment"])
    # three layers of width 1000 scatter by a few per cent
    np.testing.assert_allclose(wide["alignment"], wide["limit"], atol=0.05)
