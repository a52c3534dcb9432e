"""Two linear layers train up to eta lambda = 4, not only to 2: the largest start that trains."""

from math import sqrt
from random import Random

WRONG = 2.0  # where a frozen kernel stops


def trains(mark, width=50):
    """Whether gradient descent on f = u.v / sqrt(n), loss f^2 / 2, ends at zero."""
    draw = Random(0)
    u, v = ([draw.gauss(0, 1) for _ in range(width)] for _ in range(2))
    rate = mark * width / sum(a * a for a in u + v)
    for _ in range(3000):
        f = sum(a * b for a, b in zip(u, v, strict=True)) / sqrt(width)
        if abs(f) > 1e6 or abs(f) < 1e-9:
            break
        pull = rate * f / sqrt(width)
        pairs = list(zip(u, v, strict=True))
        u, v = [a - pull * b for a, b in pairs], [b - pull * a for a, b in pairs]
    return abs(f) < 1e-3


def check(wall=4.0):
    marks = [k / 20 for k in range(1, 120, 2)]
    last = max(mark for mark in marks if trains(mark))
    first = min(mark for mark in marks if not trains(mark))
    print(f"trains to {last}, fails from {first}; expected between: {wall}")
    assert last < wall < first
