"""Names of variants, which figures and claims ask for. This module imports nothing."""

STANDARD, RANDOM = "standard", "random labels"
