"""Predictions of networks that were trained elsewhere, as stores that studies list as external.

``recorder`` is for a training loop in PyTorch, or of anything that can be called; ``predictions``
for arrays; ``recording`` is the store in the making that both fill; ``external`` finds stores for
a study. ``samples`` and ``arrays`` are the doors where inputs, labels and predictions come in;
``evaluation`` calls a model without leaving a trace in its training.
"""
