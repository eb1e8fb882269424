"""How figures and claims name the methods, in their order, and columns of the tables."""

from hyperribbon.pac_bayes.tables import SCALE_COLUMNS

METHODS = {
    "baseline": "baseline",
    "analytic": "1, analytic",
    "fisher": "2, Fisher basis",
    "hessian": "3, Hessian basis",
    "fisher_prior": "4, Fisher prior",
    "stiff": "stiff directions",
}
EIGENBASES = ("fisher", "hessian", "fisher_prior")  # in which scales are optimised
WHO = ["configuration", "network", "optimiser", "augmentation", "seed", "method"]
COLUMNS = {
    "certificates": [
        *WHO, "n", "n_prior", "classes", "parameters", "train_error", "test_error", "error", "error_limit",
        "posterior_test_error", "kl", "penalty", "bound", "non_vacuous", "epsilon",
        "squared_distance", "effective_dimension", "elbow", "strength", "sloppy_factor", "correlation",
        "seconds",
    ],
    "posterior_scales": [
        *WHO, *SCALE_COLUMNS
    ],
    "certificate_optimisation": [*WHO, "epoch", "objective", "loss", "kl"],
}  # fmt: skip
