"""Every test and example begins with what is built in: none sees what another registers."""

import sys

import pytest

REGISTRIES = {
    "hyperribbon.pairwise.metrics": "METRICS",
    "hyperribbon.networks.registry": "NETWORKS",
    "hyperribbon.studies.parts": "FIGURES",
    "hyperribbon.studies.plugins.claims": "CLAIMS",
}


@pytest.fixture(autouse=True)
def _nothing_registered():
    yield
    for module, name in REGISTRIES.items():
        if module in sys.modules:
            registry = getattr(sys.modules[module], name)
            for own in registry.keys() - registry.built_in:
                del registry[own]
    if plugins := sys.modules.get("hyperribbon.config.plugins"):
        plugins._LOADED.clear()
