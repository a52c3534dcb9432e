"""Kernels, dynamics and experiments of two papers on the neural tangent kernel."""
