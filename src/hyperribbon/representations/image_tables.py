"""Tables of surveys of networks of images, each from a labelled dataset of one configuration.

Its dimensions are training, snapshot, kind (of path), path and position.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.numerics.blocks import evenly
from hyperribbon.numerics.bootstrap import bootstrap_mean
from hyperribbon.representations.magnification import path_contrast

SHOWN = 60  # eigenvalues of a spectrum
MEANS = ["contrast", "change", "excess"]


def path_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per training, snapshot, kind, path and position: log volume, rank, class."""
    rows = []
    places = np.linspace(0, 1, survey.sizes["position"])
    for about, part in _moments(survey):
        for kind in range(survey.sizes["kind"]):
            for path in range(survey.sizes["path"]):
                one = part.isel(kind=kind, path=path)
                rows.append(
                    pd.DataFrame(
                        {
                            **about,
                            **_path(survey, kind, path),
                            "position": places,
                            "log_volume": one["log_volume"].values,
                            "rank": one["rank"].values,
                            "predicted": one["predicted"].values,
                        }
                    )
                )
    return pd.concat(rows)


def crossing_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per crossing of a decision boundary, with the log volume there above the ends'."""
    columns = ("training", "snapshot", "kind", "path", "position", "before", "after")
    rows = []
    for values in zip(*(survey[f"crossing_{name}"].values for name in columns), strict=True):
        training, snapshot, kind, path = map(int, values[:4])
        one = survey.isel(training=training, snapshot=snapshot, kind=kind, path=path)
        contrast, peak = _contrast(one["log_volume"].values, one["rank"].values, values[4])
        rows.append(
            {
                **_moment(survey, training, snapshot),
                **_path(survey, kind, path),
                "position": values[4],
                "before": values[5],
                "after": values[6],
                "contrast": contrast,
                "peak": peak,
            }
        )
    return pd.DataFrame(rows)


def contrast_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per training, snapshot, kind and path: how the log volume stands out.

    It is read at the crossing nearest to the middle, or in the middle of a path that crosses no
    boundary: ``contrast``, above the straight line between its values at the ends; ``change``, this
    less that of the first snapshot at the same place (NaN in the first); ``peak``, where it is
    largest; ``excess``, its largest value above the larger one of the ends. They are NaN where the
    metric does not have the same rank on all of the path.
    """
    crossed = {name: survey[f"crossing_{name}"].values for name in ("training", "snapshot", "kind")}
    paths, positions = survey["crossing_path"].values, survey["crossing_position"].values
    rows = []
    for training in range(survey.sizes["training"]):
        for snapshot in range(survey.sizes["snapshot"]):
            about = _moment(survey, training, snapshot)
            for kind in range(survey.sizes["kind"]):
                here = (crossed["training"] == training) & (crossed["snapshot"] == snapshot)
                here &= crossed["kind"] == kind
                for path in range(survey.sizes["path"]):
                    places = positions[here & (paths == path)]
                    where = places[np.abs(places - 0.5).argmin()] if len(places) else 0.5
                    one = survey.isel(training=training, kind=kind, path=path)
                    log, rank = one["log_volume"].values, one["rank"].values
                    now, peak = _contrast(log[snapshot], rank[snapshot], where)
                    first, _ = _contrast(log[0], rank[0], where)
                    ends = max(log[snapshot][0], log[snapshot][-1])
                    rows.append(
                        {
                            **about,
                            **_path(survey, kind, path),
                            "crossings": len(places),
                            "position": where,
                            "smallest_rank": rank[snapshot].min(),
                            "largest_rank": rank[snapshot].max(),
                            "contrast": now,
                            "change": now - first if snapshot else np.nan,
                            "peak": peak,
                            "excess": log[snapshot].max() - ends if np.isfinite(now) else np.nan,
                        }
                    )
    return pd.DataFrame(rows)


def contrast_means(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means of contrasts over paths and trainings, with bootstrap intervals over paths.

    Parameters
    ----------
    table : DataFrame
        As of `contrast_table`.
    by : list of str
        Columns that tell networks apart.

    Returns
    -------
    DataFrame
        One row per network, snapshot, kind of path, kind of pair and statistic: ``mean``, ``low``,
        ``high``, ``positive`` (share of paths above 0), ``paths`` (pairs and trainings that count)
        and ``left_out`` (whose rank is not constant).
    """
    rows = []
    keys = [*by, "step", "epoch", "kind", "pair"]
    for key, part in table.groupby(keys, sort=False):
        for statistic in MEANS:
            known = part[np.isfinite(part[statistic])]
            row = dict(zip(keys, key, strict=True)) | {
                "statistic": statistic, "paths": len(known), "left_out": len(part) - len(known)
            }  # fmt: skip
            if len(known):
                values = known[statistic].to_numpy()
                mean = bootstrap_mean(values, known["path"])
                row |= dict(zip(("mean", "low", "high"), mean, strict=True))
                row["positive"] = np.mean(values > 0)
            rows.append(row)
    columns = [*keys, "statistic", "mean", "low", "high", "positive", "paths", "left_out"]
    return pd.DataFrame(rows, columns=columns)


def spectrum_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per training, snapshot, image and index of an eigenvalue, of which some are shown."""
    rows = []
    for about, part in _moments(survey):
        for image, values in enumerate(part["eigenvalue"].values):
            shown = evenly(len(values), SHOWN)
            largest = values[0]
            whole = values > len(values) * np.finfo(float).eps * largest
            rows.append(
                pd.DataFrame(
                    {
                        **about,
                        "image": image,
                        "label": int(survey["image_label"][image]),
                        "index": np.append(shown, len(values) - 1) + 1,
                        "eigenvalue": np.append(values[shown], values[-1]),
                        "rank": int(whole.sum()),
                        "condition": largest / values[whole][-1] if whole.any() else np.nan,
                    }
                ).drop_duplicates()
            )
    return pd.concat(rows)


def plane_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per snapshot, plane and point, for the first training."""
    if "plane_log_volume" not in survey:
        return pd.DataFrame()
    rows = []
    for snapshot in range(survey.sizes["snapshot"]):
        for plane in range(survey.sizes["plane"]):
            x, y = np.meshgrid(*survey["plane_axis"].values[plane])
            part = survey.isel(snapshot=snapshot, plane=plane)
            rows.append(
                pd.DataFrame(
                    {
                        **_moment(survey, 0, snapshot),
                        "plane": plane,
                        "x": x.ravel().round(4),
                        "y": y.ravel().round(4),
                        "log_volume": part["plane_log_volume"].values.ravel().round(5),
                        "ricci": part["plane_ricci"].values.ravel(),
                        "predicted": part["plane_predicted"].values.ravel(),
                    }
                )
            )
    return pd.concat(rows)


def corner_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per image of a plane: its coordinates and class."""
    if "plane_corner" not in survey:
        return pd.DataFrame()
    corners, labels = survey["plane_corner"].values, survey["plane_label"].values
    planes, images = labels.shape
    return pd.DataFrame(
        {
            "plane": np.repeat(np.arange(planes), images),
            "image": np.tile(np.arange(images), planes),
            "x": corners[..., 0].ravel(),
            "y": corners[..., 1].ravel(),
            "label": labels.ravel(),
        }
    )


def picture_table(survey: xr.Dataset) -> pd.DataFrame:
    """One row per image on the paths that figures show: its pixels, two hexadecimal digits each."""
    rows = []
    kinds, places, shown = survey["kind"].values, survey.sizes["place"], survey["shown"].values
    for kind, name in enumerate(kinds):
        for k, path in enumerate(shown):
            for place in range(places):
                pixels = survey["picture"].values[kind, k, place]
                rows.append(
                    {
                        "kind": name,
                        "path": int(path),
                        "position": place / max(places - 1, 1),
                        "shape": survey.attrs["shape"],
                        "pixels": pixels.tobytes().hex(),
                    }
                )
    return pd.DataFrame(rows)


def _moments(survey: xr.Dataset) -> Iterator[tuple[dict, xr.Dataset]]:
    for training in range(survey.sizes["training"]):
        for snapshot in range(survey.sizes["snapshot"]):
            part = survey.isel(training=training, snapshot=snapshot)
            yield _moment(survey, training, snapshot), part


def _moment(survey: xr.Dataset, training: int, snapshot: int) -> dict:
    return {
        "seed": int(survey["seed"][training]),
        "step": int(survey["step"][snapshot]),
        "epoch": float(survey["epoch"][snapshot]),
    }


def _path(survey: xr.Dataset, kind: int, path: int) -> dict:
    return {
        "kind": str(survey["kind"].values[kind]),
        "path": path,
        "pair": "same class" if survey["same"].values[path] else "different classes",
        "label_start": int(survey["label_start"][path]),
        "label_stop": int(survey["label_stop"][path]),
    }


def _contrast(log: np.ndarray, rank: np.ndarray, where: float) -> tuple[float, float]:
    """Contrast and peak; NaN where volumes cannot be compared."""
    if np.ptp(rank) or not np.isfinite(log).all():
        return np.nan, np.nan
    found = path_contrast(log[None], np.array([where]))
    return float(found.contrast[0]), float(found.peak[0])
