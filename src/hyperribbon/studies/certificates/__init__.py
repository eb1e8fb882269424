"""PAC-Bayes certificates of trained networks (chapter 4); begin with `part`."""
