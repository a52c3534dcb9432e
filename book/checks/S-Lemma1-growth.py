"""Gradient descent moves by (e^(CT) - 1)/C times the first gradient, not by a multiple of eta."""

WRONG = 0.0  # the printed bound tends to 0 with eta


def check(distance=1.7182818):
    eta = 1e-5  # the loss is -theta^2/2, so that C = 1; theta_0 = 1, T = 1
    theta = 1.0
    for _ in range(round(1 / eta)):
        theta -= eta * -theta
    measured = theta - 1
    print(f"distance after the time 1: {measured:.5f}, expected {distance:.5f}")
    assert abs(measured - distance) < 1e-4
