"""Training of the configurations of a study.

`job` trains all seeds of a configuration into one predictions store; begin there. `plan` holds what
a job does, `seed` trains one seed from checkpoint to checkpoint, and `parallel` several seeds at
once. `loop` is the training loop, with its `objective`, `optimisers`, `schedule`, `augmentation`
and `samples`; `corners` makes random labels. `stacked` and `stacked_loop` train many small
fully-connected networks at once.
"""
