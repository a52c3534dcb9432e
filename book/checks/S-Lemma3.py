"""a_l = (1 - alpha/l) a_(l-1) + q: a_l / l tends to q / (1 + alpha). Here alpha = 2, q = 1."""

WRONG = 1 / 2


def check(limit=1 / 3):
    a = 5.0
    for l in range(1, 100_001):
        a = (1 - 2 / l) * a + 1
    print(f"a_l / l at l = 100,000: {a / 100_000:.6f}, expected {limit:.6f}")
    assert abs(a / 100_000 - limit) < 1e-4
