"""Sigmoid has an edge of chaos: without bias it is at sigma_w = 10.1493."""

from math import exp, pi, sqrt

WRONG = 10.1  # chi_1 is not 1 there


def mean(f, q):
    """E f(sqrt(q) Z) for a standard Gaussian Z, by the trapezoidal rule."""
    h = 0.02
    return h / sqrt(2 * pi) * sum(f(sqrt(q) * h * k) * exp(-((h * k) ** 2) / 2) for k in range(-450, 451))


def sigmoid(x):
    return 1 / (1 + exp(-x)) if x > 0 else 1 - 1 / (1 + exp(x))


def check(sigma_w=10.1493):
    q = 45.0
    for _ in range(100):
        q = sigma_w**2 * mean(lambda x: sigmoid(x) ** 2, q)
    slope = mean(lambda x: (sigmoid(x) * sigmoid(-x)) ** 2, q)
    print(f"sigma_w = {sigma_w}: variance {q:.3f}, chi_1 = {sigma_w**2 * slope:.6f}, expected 1")
    assert abs(sigma_w**2 * slope - 1) < 2e-5
