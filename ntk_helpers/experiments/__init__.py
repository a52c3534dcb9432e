"""Long experiments, one module each: `python -m ntk_helpers.experiments NAME --scale quick|paper`.

A module of this package is an experiment when it defines `EXPERIMENT`, an `Experiment`. The command runs
its slices one after the other, keeps what is finished when it is interrupted, and writes the result with
its provenance to `notebooks/results/`.
"""

from ntk_helpers.experiments._runner import Experiment, find, names, run

__all__ = ["Experiment", "find", "names", "run"]
