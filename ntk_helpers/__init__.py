"""Kernels, dynamics and experiments of two papers on the neural tangent kernel.

What is named here is the public face, each name in the module that explains it:

    activations  Activation, leaky_relu                     networks     Network
    kernels      fcn_kernels, residual_kernels,             empirical    empirical_ntk, empirical_nngp
                 depth_profile, Kernels                     monte_carlo  monte_carlo_kernels
    mean_field   fixed_point, chi, phase, edge_of_chaos     isometry     jacobian_singular_values
    dynamics     gradient_flow, gradient_descent,           training     train, steps_to_accuracy
                 sgd_moments, sde_moments, sample_sgd,      data         load
                 sample_sde, stability_threshold            peers        neural_tangents

`report` says what all of it means for a network. Figures are in `plotting`, long runs in `experiments`.
"""

from ntk_helpers.activations import Activation, leaky_relu
from ntk_helpers.data import load
from ntk_helpers.dynamics import (
    gradient_descent,
    gradient_flow,
    sample_sde,
    sample_sgd,
    sde_moments,
    sgd_moments,
    stability_threshold,
)
from ntk_helpers.empirical import empirical_nngp, empirical_ntk
from ntk_helpers.isometry import jacobian_singular_values
from ntk_helpers.kernels import Kernels, depth_profile, fcn_kernels, residual_kernels
from ntk_helpers.mean_field import chi, edge_of_chaos, fixed_point, phase
from ntk_helpers.monte_carlo import monte_carlo_kernels
from ntk_helpers.networks import Network
from ntk_helpers.peers import neural_tangents
from ntk_helpers.report import report
from ntk_helpers.training import steps_to_accuracy, train

__version__ = "0.1.0"

__all__ = [
    "Activation", "Kernels", "Network", "chi", "depth_profile", "edge_of_chaos", "empirical_nngp",
    "empirical_ntk", "fcn_kernels", "fixed_point", "gradient_descent", "gradient_flow",
    "jacobian_singular_values", "leaky_relu", "load", "monte_carlo_kernels", "neural_tangents", "phase",
    "report", "residual_kernels", "sample_sde", "sample_sgd", "sde_moments", "sgd_moments",
    "stability_threshold", "steps_to_accuracy", "train",
]  # fmt: skip
