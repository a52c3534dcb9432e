"""The experiment runner, and the kernel regression it runs on MNIST."""

import json
import types

import numpy as np
import pytest

from ntk_helpers import experiments
from ntk_helpers.experiments import Experiment, _runner, mnist_regression
from ntk_helpers.experiments.__main__ import UNFINISHED, main


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


def test_partial_result_of_other_settings_is_refused(tmp_path):
    calls = []
    with pytest.raises(KeyboardInterrupt):
        experiments.run("count", counting(calls, fail_at=2), "quick", folder=tmp_path)
    changed = counting(calls)
    changed.scales["quick"]["factor"] = 5
    with pytest.raises(ValueError, match="other settings: use --fresh"):
        experiments.run("count", changed, "quick", folder=tmp_path)


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
