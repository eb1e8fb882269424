"""Class manifolds and their inversion (arXiv:2303.05161); begin with `part`."""
