"""Residual ReLU network, sigma_w = 1: the kernel grows like L 1.5^L, not like 2^L."""

WRONG = 2.0  # as printed


def kernel(depth, square):
    """K^L(x, x) of a residual ReLU network with sigma_w^2 = square and |x|^2 = d."""
    variance = total = square
    for _ in range(depth - 1):
        # the old kernel is kept, and passes through the new weights; these add their own share
        total += square / 2 * total + square / 2 * variance
        variance *= 1 + square / 2
    return total


def check(base=1.5):
    depth = 500
    measured = kernel(depth + 1, 1.0) / kernel(depth, 1.0) / (1 + 1 / depth)
    print(f"growth a layer, apart from the factor L: {measured:.5f}, expected {base}")
    assert abs(measured - base) < 1e-3
