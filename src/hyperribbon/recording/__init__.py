"""Predictions of networks that were trained elsewhere, as stores that studies list as external.

`recorder` records from a training loop, of PyTorch or of anything that can be called, and
`predictions` from arrays; begin there. Both fill a `recording`, the store in the making. `external`
finds stores for a study. `samples` and `arrays` check inputs, labels and predictions, and
`evaluation` calls a model without changing anything in its training.
"""
