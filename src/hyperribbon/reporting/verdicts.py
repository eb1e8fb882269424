"""The verdicts on claims, as tables and pages write them. This module imports nothing."""

REPRODUCED, NOT_REPRODUCED, NOT_COMPARABLE = VERDICTS = (
    "reproduced",
    "not reproduced",
    "not comparable here",
)
