"""Cut from the oracles the small part that the tests compare with.

    python tests/data/make_slices.py ../shared/oracles

writes ``o1_slice.npz`` and ``o2_slice.json`` beside this file. The oracles are numbers made by
independent code; the tests read only the slices.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NETWORKS = ("fc", "allcnn", "wr-10-4-8", "wr-16-4-64", "convmixer", "vit")


def main(oracles: Path) -> None:
    o1 = np.load(oracles / "o1_lowdim.npz")
    whole = ("D", "W", "evals", "xp", "explained_stress", "explained_pairwise_distance")
    arrays = {name: o1[name] for name in whole}
    np.savez_compressed(
        HERE / "o1_slice.npz",
        **arrays,
        # Rows 27 to 29, which are P0, P* and the corner of the random labels, follow from these.
        P=o1["P"][:27],
        labels=o1["y"],
        random_labels=o1["yr"],
        progress=o1["progress"],
        Q=o1["Q"][:2],
        DQ=o1["DQ"][:2],
        lazy_Q=o1["lazy_Q"][:2],
        # Progress 0.01, 0.02, ..., 1, and 0.04, 0.08, ..., 1.
        geodesic_100=o1["geodesic_100"][:, :3],
        reparam=o1["reparam_first20"][:, 3::4, :4],
    )
    o2 = json.loads((oracles / "o2_archs_schedule.json").read_text())
    kept = ("num_params", "weight_sum", "logits_eval_linspace_seed42")
    networks = {name: {key: o2["architectures"][name][key] for key in kept} for name in NETWORKS}
    slice_ = {"networks": networks, "checkpoint_steps": o2["checkpoint_steps"]}
    (HERE / "o2_slice.json").write_text(json.dumps(slice_, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
