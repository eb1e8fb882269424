"""What the dissertation claims, measured on a study and judged by rules stated beforehand."""

from hyperribbon.claims.rules import Claim, NotHere, Ours, judge

__all__ = ["Claim", "NotHere", "Ours", "judge"]
