"""Curvature of a network's loss: correlations, Fisher, Gauss-Newton, Hessian, KFAC, and bounds."""
