"""How figures and claims name the methods, in their order."""

METHODS = {
    "baseline": "baseline",
    "analytic": "1, analytic",
    "fisher": "2, Fisher basis",
    "hessian": "3, Hessian basis",
    "fisher_prior": "4, Fisher prior",
    "stiff": "stiff directions",
    "trained_prior": "3, trained prior",
}
EIGENBASES = ("fisher", "hessian", "fisher_prior")  # in which scales are optimised
