"""The product of 1 - (1 + alpha)/k, begun behind its zero, is (1 + alpha)! l^(-1-alpha). Here alpha = 2."""

WRONG = 1  # as printed: no constant


def check(constant=6):
    product, last = 1.0, 100_000
    for k in range(4, last + 1):
        product *= 1 - 3 / k
    measured = product * last**3
    print(f"product times l^3: {measured:.4f}, expected {constant}")
    assert abs(measured / constant - 1) < 1e-3
