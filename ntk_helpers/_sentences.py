"""What a `Report` says in words: one sentence about each of its numbers."""

import math

LARGE = 0.3  # a scatter from which on its first order in 1/n is rough


def sentences(r):
    """Pairs (name, sentence) of the `Report` r."""
    every = {
        "Phase": _phase(r),
        "Kernel": _kernel(r),
        "Learning rates": _rates(r),
        "Scatter": _scatter(r),
        "Steps": _steps(r),
        "Test error": _error(r),
    }
    return [(name, sentence) for name, sentence in every.items() if sentence]


def _phase(r):
    if r.depth is None:
        return "One network does not show the law it was drawn from: no phase, depth scale or scatter."
    if r.phase is None:
        return "A residual network has no ordered or chaotic phase, and no depth scale of this kind."
    text = f"The network is {r.phase}. It has {r.depth} layers, and correlations of inputs approach "
    if r.depth_scale is None:
        return text + "no limit that mean field theory resolves."
    if math.isinf(r.depth_scale):
        return text + "their limit more slowly than exponentially."
    return text + f"their limit by a factor e in {r.depth_scale:.3g} layers."


def _kernel(r):
    if math.isinf(r.condition_number):
        return "The kernel on these inputs is singular to rounding; two may be equal or parallel."
    return f"The kernel on these inputs has the condition number {r.condition_number:.3g}."


def _rates(r):
    text = f"Full-batch GD is stable up to a rate of {r.rates.gd:.3g}"
    if r.other_rates is not None:
        other = "standard" if r.parameterization == "ntk" else "NTK"
        text += f" ({r.other_rates.gd:.3g} in the {other} parameterisation)"
    if r.rates.sgd is None:
        return text + ". For SGD with several outputs we have no formula at finite width."
    return text + f", SGD with batches of {r.batch_size} up to {r.rates.sgd:.3g}."


def _scatter(r):
    if r.depth is None:
        return ""
    if r.kernel_spread is None:
        return "No formula covers this network; `monte_carlo_kernels` measures it."
    name, other = ("Gaussian", "orthogonal")[:: 1 if r.weights == "gaussian" else -1]
    text = f"From draw to draw the kernel at one input varies by {r.kernel_spread:.1%} with {name} weights, "
    text += f"by {r.other_spread:.1%} with {other} ones."
    large = max(r.kernel_spread, r.other_spread) > LARGE
    return text + (" So large a scatter is only known roughly." if large else "")


def _steps(r):
    goal = "1% of the training loss" + ("" if r.label_error is not None else " in the slowest direction")
    text = f"GD at the rate {r.learning_rate:.3g} "
    if math.isfinite(r.steps):
        return text + f"takes {r.steps:.6g} steps to {goal}."
    return text + ("diverges." if r.learning_rate > r.rates.gd else f"never comes to {goal}.")


def _error(r):
    if r.label_error is None:
        return ""
    if r.test_error is None:
        return "None without a second input and a kernel that can be inverted."
    what = "linearised network" if r.depth is None else "infinitely wide network"
    return (
        f"On an input left out the trained {what} has a mean squared error of {r.test_error:.3g}; "
        f"the mean of the other labels has {r.label_error:.3g}."
    )
