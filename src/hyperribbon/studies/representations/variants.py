"""What learns the tasks in the plane: the standard network, and others that differ in one thing."""

from __future__ import annotations

from hyperribbon.representations.plane_geometry import Variant
from hyperribbon.studies.representations.config import PlanesConfig, Task
from hyperribbon.studies.representations.names import RANDOM, STANDARD


def variants(planes: PlanesConfig, task: Task) -> list[Variant]:
    """All that learns a task, the standard network first."""
    widths, activation, decay = (planes.width,), planes.activation, planes.weight_decay
    standard = Variant(STANDARD, "nothing", widths, activation, decay)
    found = [standard]
    for width in planes.widths:
        found.append(standard._replace(name=f"width {width}", varied="width", widths=(width,)))
    for other in planes.weight_decays:
        name = f"weight decay {other:g}"
        found.append(standard._replace(name=name, varied="weight decay", weight_decay=other))
    for kind in planes.activations:
        found.append(standard._replace(name=kind, varied="activation", activation=kind))
    found.append(standard._replace(name="NTK", varied="parametrisation", parametrisation="ntk"))
    if task == "sinusoid":  # four points in random order are about as structured as XOR
        found.append(standard._replace(name=RANDOM, varied="labels", random_labels=True))
        for units in planes.deep:
            name = "-".join(map(str, units))
            found.append(standard._replace(name=name, varied="depth", widths=units))
    return found


def is_mapped(variant: Variant) -> bool:
    """Whether maps of a variant are tabulated."""
    return variant.varied in ("nothing", "labels", "depth") or variant.activation == "relu"
