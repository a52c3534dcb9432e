"""`sgd_moments` against Monte Carlo over paths of the same SGD, in one run.

    python tests/benchmarks/bench_dynamics.py

A Monte Carlo estimate has an error, the moments have none. So the price of Monte Carlo is stated for a chosen
accuracy: the number of paths that give the mean square residual after the last step a relative standard error
of ACCURACY, from the scatter of a pilot sample, times the time of a path. Both keep the last step only; the
time of the moments of every step stands beside.
"""

import jax
import numpy as np
from _report import best_times, environment, write

from ntk_helpers.dynamics import sample_sgd, sgd_moments, stability_threshold

ACCURACY = 0.01
PILOT = 40
CASES = [(50, 1000, 10), (200, 1000, 10), (200, 1000, 100)]  # examples, steps, batch size


def kernel_and_residual(n):
    """A kernel with eigenvalues 1, 1/2, ..., 1/n and a residual that lies evenly in its modes."""
    modes = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
    return modes / np.arange(1, n + 1) @ modes.T, modes.sum(axis=1)


def row(n, steps, batch_size):
    kernel, residual = kernel_and_residual(n)
    rate = 0.5 * stability_threshold(kernel, batch_size=batch_size)
    arguments = {"learning_rate": rate, "batch_size": batch_size, "steps": steps}
    last = arguments | {"steps": [steps]}

    def moments():
        return sgd_moments(kernel, residual, **last)

    def every_step():
        return sgd_moments(kernel, residual, **arguments)

    def paths():
        return sample_sgd(jax.random.key(0), kernel, residual, samples=PILOT, **last)

    exact = np.trace(moments().second[-1])
    squares = (paths()[:, -1] ** 2).sum(axis=1)
    needed = squares.var(ddof=1) / (ACCURACY * exact) ** 2
    seconds = best_times({"moments": moments, "every_step": every_step, "paths": paths}, turns=2)
    monte_carlo = seconds["paths"] / PILOT * needed
    return {
        "N": n,
        "steps": steps,
        "S": batch_size,
        "moments_s": seconds["moments"],
        "every_step_s": seconds["every_step"],
        "paths_needed": round(needed),
        "monte_carlo_s": monte_carlo,
        "monte_carlo_over_moments": monte_carlo / seconds["moments"],
        "pilot_z": (squares.mean() - exact) / (squares.std(ddof=1) / PILOT**0.5),
    }


if __name__ == "__main__":
    machine = environment()
    write(
        "dynamics",
        title="Moments of SGD",
        environment=machine,
        notes=[
            "Mean and second moment of the residual after the last step, exactly, against Monte Carlo over"
            f" paths of the same SGD with a relative standard error of {ACCURACY:.0%} in the mean square"
            " residual. `every_step_s`: the moments of every step. Half the mean-square stability threshold;"
            f" compilation not counted; {PILOT} paths timed and scaled. `pilot_z` is the distance of the"
            " pilot's mean from the exact value in standard errors.",
        ],
        rows=[row(*case) for case in CASES],
    )
