"""Predictions of networks that were trained elsewhere, as stores that studies list as external.

``recorder`` is for a training loop in PyTorch, or of anything that can be called; ``predictions``
for arrays; ``recording`` is the store in the making that both fill; ``external`` finds stores for
a study.
"""
