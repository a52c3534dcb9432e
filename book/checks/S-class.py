"""ELU is not twice differentiable at 0: its second derivative jumps by 1."""

from math import expm1

WRONG = 0.0  # what membership in the printed class would need


def elu(x):
    return x if x > 0 else expm1(x)


def check(jump=1.0):
    h = 1e-4

    def second(x):
        return (elu(x + h) - 2 * elu(x) + elu(x - h)) / h**2

    measured = second(-2 * h) - second(2 * h)
    print(f"second derivative left of 0 minus right of it: {measured:.4f}, expected {jump}")
    assert abs(measured - jump) < 1e-3
