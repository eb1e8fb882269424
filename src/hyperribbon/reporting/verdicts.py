"""The verdicts on claims, as tables and pages write them. This module imports nothing."""

REPRODUCED, CONTRADICTED, UNDECIDED, NOT_COMPARABLE = VERDICTS = (
    "reproduced",
    "contradicted",
    "undecided",
    "not comparable here",
)
