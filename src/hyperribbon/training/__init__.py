"""Training of the configurations of a study.

`job` trains all seeds of a configuration into one predictions store; begin there. `plan` holds what
a job does, `seed` trains one seed from checkpoint to checkpoint, and `parallel` several seeds at
once. `methods` decide what a network learns from which samples, `loop` is the training loop, with
its `forward` pass, `optimisers`, `schedule` and `samples`, and `evaluation` is what a checkpoint
records. `augmentation` changes images, with the functions of `colour`; `corners` makes random
labels. `stacked` and `stacked_loop` train many small fully-connected networks at once.
"""
