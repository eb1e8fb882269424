"""How networks learn: one file per method.

Every method is a `Method` (file `method`): it decides what stands on the features of a network,
which samples a step sees and what their loss is. `configured` makes the one that a configuration
asks for. To add a method, write a file here that names it ``METHOD``, and describe its settings in
:mod:`hyperribbon.config.methods`. `fine_tuning` is no method of its own: it puts the backbone of
another training in place of fresh weights, whatever the method.
"""
