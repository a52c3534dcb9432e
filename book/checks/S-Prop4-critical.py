"""Residual ReLU, sigma_w^2 = 2: K^L(x, x) / (L 2^L) tends to |x|^2 / (2 d), half the print."""

WRONG = 1.0  # as printed


def kernel(depth, square):
    """K^L(x, x) of a residual ReLU network with sigma_w^2 = square and |x|^2 = d."""
    variance = total = square
    for _ in range(depth - 1):
        # the old kernel is kept, and passes through the new weights; these add their own share
        total += square / 2 * total + square / 2 * variance
        variance *= 1 + square / 2
    return total


def check(limit=1 / 2):
    depth = 1000
    measured = kernel(depth, 2.0) / (depth * 2.0**depth)
    print(f"K / (L 2^L) at {depth} layers: {measured:.4f}, expected {limit}")
    assert abs(measured - limit) < 2 / depth
