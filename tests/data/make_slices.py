"""Cut from the oracles the small part that the tests compare with.

    python tests/data/make_slices.py ../shared/oracles

writes the ``*_slice`` files beside this one. The oracles are numbers made by independent code;
the tests read only the slices.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NETWORKS = ("fc", "allcnn", "wr-10-4-8", "wr-16-4-64", "convmixer", "vit")
NETWORKS += ("fc-200-512-5", "fc-200-512-512-5", "fc-200-50-5")


def main(oracles: Path) -> None:
    o1 = np.load(oracles / "o1_lowdim.npz")
    whole = ("D", "W", "evals", "xp", "explained_stress", "explained_pairwise_distance")
    whole += ("dskl_thesis", "dG_thesis")
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


def trajectories(oracles: Path) -> None:
    """Of oracle 1: arcs, and distances of its three trajectories at progress 0.01, 0.02, ..., 1."""
    o1 = np.load(oracles / "o1_lowdim.npz")
    np.savez_compressed(
        HERE / "o1_trajectories_slice.npz",
        **{name: o1[name] for name in ("dists_3d", "dtraj", "dtraj_to_geodesic")},
        arcs=o1["dG_thesis"],
    )


def centroids(oracles: Path) -> None:
    """Of oracle 6: 12 of the 200 samples, which are averaged one by one."""
    o6 = np.load(oracles / "o6_centroids.npz")
    names = ("AM", "GM", "HM", "sqrtAM_sq", "jeffreys_norm", "bhat_exact")
    np.savez_compressed(
        HERE / "o6_slice.npz", P=o6["P"][:, :12], **{name: o6[name][:12] for name in names}
    )


def embeddings(oracles: Path) -> None:
    """Of oracle 1, weighted InPCA; of oracle 9, the published spectrum."""
    o1 = np.load(oracles / "o1_lowdim.npz")
    names = ("mult", "weighted_e", "weighted_xp", "repeat_e", "repeat_xp")
    leading = {name: o1[name][..., :10] for name in names[1:]}
    np.savez_compressed(HERE / "o1_weighted_slice.npz", mult=o1["mult"], **leading)
    o9 = np.load(oracles / "o9_imagenet_inpca_authors.npz")
    np.savez_compressed(HERE / "o9_slice.npz", eigen_values=o9["eigen_values"])


def curvature(oracles: Path) -> None:
    """Of oracle 4: the network and its data; of each matrix, eigenvalues and a few products."""
    o4 = np.load(oracles / "o4_fim_hess.npz")
    arrays = {name: o4[name] for name in ("X", "Y", *(f"w{k}" for k in range(6)))}
    V = np.random.default_rng(4).normal(size=(179, 3))
    for name, key in (("hessian", "H64"), ("fisher", "trueFIM64"), ("empirical", "empFIM64")):
        arrays[f"{name}_eigenvalues"] = np.linalg.eigvalsh(o4[key])
        arrays[f"{name}_products"] = o4[key] @ V
    arrays["jacobian_products"] = o4["jac64"] @ V
    names = ("logit0_eig", "probs64", "overlap_emp_hess")
    np.savez_compressed(HERE / "o4_slice.npz", V=V, **arrays, **{name: o4[name] for name in names})


def certificates(oracles: Path) -> None:
    """Of oracle 3: all but the approximate roots and a constant that is marked wrong."""
    o3 = json.loads((oracles / "o3_pacbayes.json").read_text())
    kept = {key: value for key, value in o3.items() if not key.startswith("invkl_")}
    kept["penalty_const"] = {"right": o3["penalty_const"]["right"]}
    (HERE / "o3_slice.json").write_text(json.dumps(kept, separators=(",", ":")) + "\n")


def representations(oracles: Path) -> None:
    """Of oracles 7 and 11: all networks and limits, without the numbers that are marked wrong."""
    o7, o11 = (np.load(oracles / f"{name}.npz") for name in ("o7_riemann", "o11_riemann_deep"))
    long = "nngp_erf_d_Rformula_Rautograd_detformula_detdirect_at_linspace(.2,1.1,d)_s2=1.3_z2=.4"
    kept = {name: o7[name] for name in o7.files if "effexp" not in name and name != long}
    kept |= {"nngp_shallow": o7[long]}
    np.savez_compressed(HERE / "o7_slice.npz", **kept)
    kept = {name: o11[name] for name in o11.files if "shortcut" not in name}
    np.savez_compressed(HERE / "o11_slice.npz", **kept)


def losses(oracles: Path) -> None:
    """Of oracle 10, the losses of the methods."""
    o10 = np.load(oracles / "o10_losses.npz")
    left_out = ("imp_", "fm_mask", "barlow_C", "proto_acc", "proto_logp")
    kept = {name: o10[name] for name in o10.files if not name.startswith(left_out)}
    np.savez_compressed(HERE / "o10_losses_slice.npz", **kept)


def class_manifolds(oracles: Path) -> None:
    """Of oracle 5: all but the hidden representations, which follow from the weights; oracle 13."""
    o5, o13 = np.load(oracles / "o5_inversion.npz"), np.load(oracles / "o13_overlap.npz")
    names = ("X", "Y", *(f"init{k}" for k in range(4)), "R0", "D0", "history", "stragglers")
    np.savez_compressed(HERE / "o5_slice.npz", **{name: o5[name] for name in names})
    np.savez_compressed(HERE / "o13_slice.npz", **o13)


def tasks(oracles: Path) -> None:
    """Of oracle 10, imprinting; of oracle 12, the parents and tasks of ImageNet's classes."""
    o10, o12 = (np.load(oracles / f"{name}.npz") for name in ("o10_losses", "o12_wordnet"))
    names = ("features", "labels", "eval_features", "orthogonal", "rows", "probabilities")
    np.savez_compressed(
        HERE / "o10_imprinting_slice.npz", **{name: o10[f"imp_{name}"] for name in names}
    )
    kept = {name: o12[name] for name in o12.files if name.startswith("task_")}
    names = ("wnids", "cifar10_names", "cifar10_synsets", "cifar10_path_length")
    kept |= {name: o12[name] for name in names}
    # Synsets are numbers of eight digits.
    kept["edges_child_parent"] = o12["edges_child_parent"].astype(np.int32)
    np.savez_compressed(HERE / "o12_slice.npz", **kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    trajectories(Path(sys.argv[1]))
    centroids(Path(sys.argv[1]))
    embeddings(Path(sys.argv[1]))
    curvature(Path(sys.argv[1]))
    certificates(Path(sys.argv[1]))
    representations(Path(sys.argv[1]))
    losses(Path(sys.argv[1]))
    class_manifolds(Path(sys.argv[1]))
    tasks(Path(sys.argv[1]))
