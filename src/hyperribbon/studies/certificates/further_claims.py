"""The scale of the prior that the text prints (thesis 4.4.2)."""

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import within_factor
from hyperribbon.studies.certificates.claims import MNIST, of_method

CLAIMS = [
    Claim(
        "Of the analytic posterior for two hidden layers of 600 units, epsilon is 101.3",
        "section 4.4.2",
        within_factor(1.2),
        of_method("epsilon", "analytic", "FC-600-2"),
        101.3,
        data=MNIST,
    )
]
