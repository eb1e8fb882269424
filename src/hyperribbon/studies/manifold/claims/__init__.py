"""The claims of chapter 2 in `chapter2`, and the functions that measure them."""

CIFAR10, IMAGENET = ("cifar10",), ("imagenet",)  # data of published values
