"""The kernels of infinitely wide networks: NNGP and NTK, fully connected and residual.

Networks are in the NTK parameterisation; `depth` L counts weight layers, so a plain network has L - 1
nonlinearities. The recursion stands in `layer`, for ReLU-like activations in `relu`.
"""

from ntk_helpers.kernels.matrix import Kernels, fcn_kernels, residual_kernels
from ntk_helpers.kernels.profile import DepthProfile, depth_profile

__all__ = ["DepthProfile", "Kernels", "depth_profile", "fcn_kernels", "residual_kernels"]
