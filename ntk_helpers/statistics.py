"""Means with their errors, slopes and differences: pairs (value, standard error)."""

import math

import numpy as np


def mean_error(values):
    """Mean and standard error over independent repetitions.

    Parameters
    ----------
    values : (m, ...), the repetitions along the first axis.

    Returns
    -------
    The mean and its standard error, each of shape (...).
    """
    return np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / np.sqrt(len(values))


def difference(one, other):
    """Difference of two independent estimates.

    Parameters
    ----------
    one, other : pairs (value, standard error).

    Returns
    -------
    The pair of one less other.
    """
    return one[0] - other[0], np.hypot(one[1], other[1])


def log_slope(n, squares, errors):
    """Slope of log sqrt(squares) against log n, by least squares with the errors as weights.

    Parameters
    ----------
    n : (k,) positive numbers.
    squares : (k,) positive numbers, such as squared distances.
    errors : (k,) their standard errors.

    Returns
    -------
    The slope and its standard error.
    """
    design = np.stack([np.ones(len(n)), np.log(n)], axis=1) * (squares / errors)[:, None]
    covariance = np.linalg.inv(design.T @ design)
    slope = (covariance @ design.T @ (np.log(squares) * squares / errors))[1]
    return slope / 2, math.sqrt(covariance[1, 1]) / 2
