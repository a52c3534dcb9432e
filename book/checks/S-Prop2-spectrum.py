"""The matrix of ones, N x N, has the eigenvalue N, not N - 1. Here N = 4, by power iteration."""

WRONG = 3  # as printed


def check(largest=4):
    ones, v = [[1.0] * 4 for _ in range(4)], [1.0, 0.5, 0.2, 0.1]
    for _ in range(50):
        v = [sum(a * b for a, b in zip(row, v, strict=True)) for row in ones]
        size = max(map(abs, v))
        v = [b / size for b in v]
    print(f"largest eigenvalue: {size:.6f}, expected {largest}")
    assert abs(size - largest) < 1e-9
