"""What long runs wrote is read whole; means, slopes and differences against scipy and draws of known law."""

import numpy as np
import pytest
from scipy import stats

from ntk_helpers import results, statistics
from ntk_helpers.experiments import _runner


def written(folder, scale):
    experiment = _runner.Experiment(
        summary="a trial",
        scales={"paper": {"seeds": [1]}, "quick": {"seeds": [2]}},
        slices=lambda settings: [{"depth": depth} for depth in (3, 1)],
        run=lambda settings, piece: {"rows": [{"n": n, "value": n * piece["depth"]} for n in (2, 4)]},
    )
    _runner.run("trial", experiment, scale, folder=folder)


def test_a_result_is_read_as_it_was_written(tmp_path):
    for scale, seed in (("paper", 1), ("quick", 2)):
        written(tmp_path, scale)
        found = results.load("trial", scale, folder=tmp_path)
        assert found.settings == {"seeds": [seed]}
        assert [(row["depth"], row["n"], row["value"]) for row in found.rows] == [
            (3, 2, 6),
            (3, 4, 12),
            (1, 2, 2),
            (1, 4, 4),
        ]
        assert found.minutes == sum(record["seconds"] for record in found.records) / 60
        assert found.provenance.startswith(f"python -m ntk_helpers.experiments trial --scale {scale}; 20")
        assert "jax " in found.provenance


def test_a_result_that_is_missing_is_named(tmp_path):
    message = r"got 'trial' and 'wide': run python -m ntk_helpers.experiments trial --scale wide"
    with pytest.raises(ValueError, match=message):
        results.load("trial", "wide", folder=tmp_path)


def test_means_and_differences():
    x, y = np.random.default_rng(0).normal(size=(2, 30, 4))
    mean, error = statistics.mean_error(x)
    np.testing.assert_allclose(error, stats.sem(x), rtol=1e-12)
    gap, both = statistics.difference((mean, error), statistics.mean_error(y))
    np.testing.assert_allclose(gap / both, stats.ttest_ind(x, y, equal_var=False).statistic, rtol=1e-12)


def test_log_slope_and_its_error():
    """Against scipy's weighted fit, and the scatter of the slope over draws with these errors."""
    n = np.array([8, 16, 32, 64, 128])
    true, share = 3.0 * n**-1.4, np.array([0.02, 0.01, 0.03, 0.02, 0.01])
    draws = true * (1 + share * np.random.default_rng(1).normal(size=(2000, 5)))
    found = np.array([statistics.log_slope(n, squares, share * true) for squares in draws])
    assert statistics.log_slope(n, true, share * true)[0] == pytest.approx(-0.7, rel=1e-12)
    # The relative error of a standard deviation of 2,000 draws is 1 / sqrt(4,000).
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=4 / np.sqrt(4000))
    curve = np.polyfit(np.log(n), np.log(draws[0]) / 2, 1, w=draws[0] / (share * true))
    assert found[0, 0] == pytest.approx(curve[0], rel=1e-10)
