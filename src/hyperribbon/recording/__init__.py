"""Predictions of networks that were trained elsewhere, as stores that studies list as external.

`recorder` records from a training loop, of PyTorch or of anything that can be called, and
`predictions` from arrays; begin there. Both fill a `recording`, the store in the making, whose
checkpoints are in a `work_folder` until it is published. `external` finds stores for a study.

`samples`, `datasets`, `labels`, `names` and `arrays` check what users give. `evaluation` calls a
model without changing anything in its training, and `outputs` or `imprinted` make predictions of
what it returns. Only `torch_modules` imports torch, and only if the user did.
"""
