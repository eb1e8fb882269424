"""The method that a configuration asks for."""

from __future__ import annotations

from importlib import import_module

from hyperribbon.config import Configuration
from hyperribbon.training.methods.method import Material, Method
from hyperribbon.training.methods.supervised import Classification


def configured_method(configuration: Configuration, material: Material) -> Method:
    """Make the method of a configuration.

    Parameters
    ----------
    configuration : Configuration
        What to train.
    material : Material
        What it learns from.
    """
    section = configuration.method
    if configuration.learning is None:
        return Classification(section, material)
    # By name, so that a method's code counts only for its own trainings.
    module = import_module(f"{__package__}.{section.name}")
    return module.METHOD(section, material)
