"""Numerical tools without statistics of models: nothing here knows distributions or networks.

`eigenpairs` computes extreme eigenpairs of symmetric matrices, `bootstrap` intervals from groups of
observations, `blocks` cuts large arrays into blocks, `threads` keeps small work in one thread,
`task_graph` runs tasks in threads, and `compiling` caches numba's machine code.
"""
