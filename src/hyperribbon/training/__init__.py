"""Training: the loop, optimisers, checkpoint schedule and evaluation."""
