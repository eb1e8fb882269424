"""Names of the comparisons that chapter 3 makes, which claims and figures know."""

MEANS = "mean_predictions"  # (group, progress, N, C), NaN where a group does not get

ALL = "all"  # the task of all classes of the data, and its supervised training

TASKS = "tasks"  # supervised learning of different sets of classes (Results 1 and 2)
TREE = "tree"  # of nodes of the tree of classes (Result 3)
EPISODIC = "episodic"  # episodic meta-learning and supervised learning (Result 4)
WAYS = "ways"  # supervised learning of a few classes (Result 4)
METHODS = "methods"  # contrastive and semi-supervised learning (Result 5)
FINE_TUNING = "fine_tuning"  # from several epochs of another training (Result 6)
CONTRASTIVE = "contrastive"  # of two classes and of all, and supervised learning (Result 7)
