"""PAC-Bayes bounds on the error of stochastic networks on new samples (thesis 4.2, 4.3, 4.7).

Begin with `bound`: certificates from numbers alone (errors, KL divergence, number of samples). The
module `analytic` has Gaussian posteriors whose precisions follow from curvature (Method 1), and
`certificate` certifies a trained network with one of them.
"""
