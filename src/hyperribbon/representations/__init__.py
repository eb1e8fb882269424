"""The geometry of a network's representations.

A feature map, from inputs to the activations of a layer, pulls a metric back to the space of
inputs: its volume element says where training magnifies that space, its curvature how it bends it.
The activations of the samples of one class are a class manifold, whose size and distance from the
others change through training.
"""
