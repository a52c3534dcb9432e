"""The Hessian term of equation (10) has the sign +: one output, a given Gamma, no noise."""

from math import cos, exp

WRONG = -1  # as printed


def check(sign=1):
    kappa, n, eta, size, start, end = 3.0, 2, 0.1, 1, 1.0, 1.5

    def gamma(t):
        return 1 + cos(3 * t)

    # the equation that (10) solves: df/dt = -kappa/n (f - y) + eta/(2 S) Gamma, with y = 0
    f, steps = start, 20_000
    h = end / steps
    for k in range(steps):
        half = f + h / 2 * (-kappa / n * f + eta / (2 * size) * gamma(k * h))
        f += h * (-kappa / n * half + eta / (2 * size) * gamma((k + 0.5) * h))
    # the formula
    points = [(k + 0.5) * h for k in range(steps)]
    integral = h * sum(exp(-(end - s) * kappa / n) * gamma(s) for s in points)
    formula = exp(-end * kappa / n) * start + sign * eta / (2 * size) * integral
    print(f"the equation: {f:.7f}; formula (10) with the sign {sign:+}: {formula:.7f}")
    assert abs(f - formula) < 1e-6
