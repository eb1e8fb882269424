"""Which accelerators this machine has, without importing torch."""

import os
from pathlib import Path


def count_gpus() -> int:
    """GPUs that a job started here may use: those of CUDA_VISIBLE_DEVICES, else all present."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))
