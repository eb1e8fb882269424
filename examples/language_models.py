"""Language models in prediction space: is their manifold low-dimensional, too?

Small transformers learn to predict the next character, and others the next token, of the Python
language reference, which comes with Python (``pydoc_data.topics``). Their predictions at positions
of topics that were held out are recorded, and embedded by InPCA; null models share only how far
they have learned. From the root of the repository, in about three minutes on two cores,

    python examples/language_models.py

leaves recordings, ``language_models.png`` and ``numbers.json`` in runs/language_models/. What came
out is in docs/sequence_models.md.
"""

import json
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import hyperribbon as hr
from hyperribbon.probability.shuffling import NULLS

RUNS = Path("runs", "language_models")
LENGTH, WINDOWS, BATCH, STEPS = 64, 8, 16, 240  # tokens in a window; windows held out
TOKENS = 2048  # in the vocabulary of tokens
KEPT = (8, 32, 128, 512)  # tokens kept of a coarse-grained vocabulary
LEVELS = {"characters": r"(?s).", "tokens": r" ?\w+| ?[^\w\s]+|\s+"}


def corpus(level: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Train text and held-out text as classes, and the token that each class is."""
    names = sorted(topics)
    texts = [
        re.findall(LEVELS[level], "\n".join(topics[name] for name in part))
        for part in (
            [name for k, name in enumerate(names) if k % 10],
            names[::10],
        )
    ]
    common = [token for token, _ in Counter(texts[0]).most_common(TOKENS - 1)]
    vocabulary = [*common, "<other>"]
    number = {token: c for c, token in enumerate(vocabulary)}
    train, held_out = (
        np.array([number.get(token, len(common)) for token in text]) for text in texts
    )
    return train, held_out, vocabulary


class Transformer(nn.Module):
    """A small causal transformer: tokens (n, T) in, logits (n, T, C) out."""

    def __init__(self, n_classes: int, width: int, layers: int):
        super().__init__()
        self.token = nn.Embedding(n_classes, width)
        self.position = nn.Parameter(0.02 * torch.randn(LENGTH, width))
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, n_classes)
        nn.init.normal_(self.token.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.02)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        hidden = self.layers(self.token(tokens) + self.position, mask=mask, is_causal=True)
        return self.head(self.norm(hidden))


NETWORKS = {"1 layer, width 32": (32, 1), "2 layers, width 64": (64, 2)}
OPTIMISERS = {
    "Adam": lambda weights: torch.optim.Adam(weights, 3e-3),
    "SGD": lambda weights: torch.optim.SGD(weights, 0.3, momentum=0.9),
}


def record(level: str) -> None:
    """Train every network with every optimiser, and record it at positions held out."""
    train, held_out, vocabulary = corpus(level)
    starts = np.linspace(0, len(held_out) - LENGTH - 1, WINDOWS).astype(int)
    windows = np.stack([held_out[start : start + LENGTH + 1] for start in starts])
    steps = sorted({0, *np.geomspace(1, STEPS, 15).round().astype(int).tolist()})
    text = torch.from_numpy(train)
    for network, shape in NETWORKS.items():
        for optimiser, make in OPTIMISERS.items():
            torch.manual_seed(0)
            model = Transformer(len(vocabulary), *shape)
            optimise = make(model.parameters())
            schedule = torch.optim.lr_scheduler.LambdaLR(optimise, lambda s: min(1, (s + 1) / 20))
            name = f"{level}-{network}-{optimiser}".replace(" ", "_").replace(",", "")
            if (RUNS / f"{name}.zarr").exists():
                print(f"{name}: recorded already")
                continue
            with hr.Recorder(
                RUNS / name,
                test_inputs=windows[:, :-1],
                test_labels=windows[:, 1:],
                network=network,
                optimiser=optimiser,
                vocabulary=vocabulary,
                form="sqrt_float16",
                batch_size=WINDOWS,
            ) as rec:
                for step in range(STEPS + 1):
                    if step in steps:
                        rec.checkpoint(model, step)
                    at = torch.randint(len(text) - LENGTH - 1, (BATCH, 1)) + torch.arange(LENGTH)
                    logits = model(text[at])
                    loss = nn.functional.cross_entropy(logits.flatten(0, 1), text[at + 1].flatten())
                    optimise.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                    optimise.step()
                    schedule.step()
            print(f"{name}: train loss {loss.item():.2f} nats", flush=True)


def stress(D: np.ndarray) -> list[float]:
    """Stress that the first ten dimensions explain."""
    inpca = hr.InPCA(n_components=10, metric="precomputed").fit(D)
    return inpca.explained_stress_.round(4).tolist()


def true_token_first(P: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Exchange the columns of the true token and of class 0 at every position.

    Distances stay as they are. But then all positions are of one class, and can be exchanged: most
    tokens are the true one only once or twice, so that there is little to exchange within a class.
    """
    moved, positions = P.copy(), np.arange(len(labels))
    moved[:, positions, labels] = P[:, :, 0]
    moved[:, positions, 0] = P[:, positions, labels]
    return moved


def analyse(level: str) -> dict:
    """The numbers of one vocabulary."""
    study = hr.Study.from_runs(RUNS / f"{level}-*.zarr")
    P, labels = study.geometry().predictions[:], study.labels()
    D = np.asarray(study.distances())
    counts = np.bincount(labels)
    found = {
        "classes": P.shape[2], "positions": len(labels), "models": len(P),
        "positions whose token occurs once": int((counts == 1).sum()),
        "observed": stress(D),
    }  # fmt: skip
    sizes = [len(part) for part in study.trajectories()]
    for first in (False, True):
        models, classes = (true_token_first(P, labels), 0 * labels) if first else (P, labels)
        parts = np.split(models, np.cumsum(sizes)[:-1])
        for null, shuffled in NULLS.items():
            name = f"{null}, true token first" if first else null
            found[name] = stress(hr.pairwise_distance(shuffled(parts, classes, 0)))
    table = study.models.assign(progress=study.progress())
    last = table.groupby(["network", "optimiser"]).last()
    found["final"] = {
        ", ".join(key): {"loss": round(row.test_loss, 3), "progress": round(row.progress, 3)}
        for key, row in last.iterrows()
    }
    if level == "tokens":
        late = study.models.checkpoint.to_numpy() >= max(sizes) - 5
        found["coarse"] = coarse(level, P, labels, D, late)
    return found


def coarse(level: str, P: np.ndarray, labels: np.ndarray, D: np.ndarray, late) -> dict:
    """How much of the distances is left if k tokens are kept at each position, and the bounds.

    Kept are those that most often follow the token before, then the most frequent ones.
    """
    train, held_out, vocabulary = corpus(level)
    starts = np.linspace(0, len(held_out) - LENGTH - 1, WINDOWS).astype(int)
    before = np.concatenate([held_out[start : start + LENGTH] for start in starts])
    reference = np.tile(np.bincount(train, minlength=len(vocabulary)) / len(train), (len(P[0]), 1))
    following = Counter(pairwise(train.tolist()))
    for (token, then), count in following.items():
        reference[before == token, then] += count
    pairs, found = np.nonzero(np.triu(D > 1e-3, 1)), {}  # all but trainings that begin alike
    for k in KEPT:
        top = hr.top_classes(reference, labels, k)
        at, others = top[None].repeat(len(P), 0), P.copy()
        kept = np.take_along_axis(P, at, axis=2)
        np.put_along_axis(others, at, 0, axis=2)
        rest = others.sum(-1, keepdims=True)
        bounds = hr.distance_bounds(np.concatenate([kept, rest], axis=2))
        low, high, true = bounds.lower[pairs], bounds.upper[pairs], D[pairs]
        assert (low <= true + 1e-5).all() and (true <= high + 1e-5).all()
        both = late[pairs[0]] & late[pairs[1]]
        found[k] = {
            "remainder": round(float(rest.mean()), 3),
            "coarse / true": np.percentile(low / true, [5, 50, 95]).round(3).tolist(),
            "upper / true": np.percentile(high / true, [5, 50, 95]).round(2).tolist(),
            "coarse / true, late": np.percentile((low / true)[both], [5, 50, 95]).round(3).tolist(),
            "upper / true, late": np.percentile((high / true)[both], [5, 50, 95]).round(2).tolist(),
            "correlation": round(float(np.corrcoef(low, true)[0, 1]), 4),
            "explained stress": stress(bounds.lower)[:3],
        }
    return found


def draw(numbers: dict) -> None:
    """Trajectories in two coordinates, and explained stress beside the null models."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    for (level, found), (left, right) in zip(numbers.items(), axes, strict=True):
        study = hr.Study.from_runs(RUNS / f"{level}-*.zarr")
        X = study.embed(n_components=2)
        for key, rows in study.models.groupby(["network", "optimiser"]):
            points = X.loc[rows.index]
            left.plot(points.pc1, points.pc2, ".-", label=", ".join(key))
        left.set(title=f"{level}: C = {found['classes']}", xlabel="pc1", ylabel="pc2")
        for name in ("observed", *(name for name in found if name.startswith("shuffled"))):
            style = {"color": "black", "lw": 2} if name == "observed" else {"ls": "--"}
            right.plot(range(1, 11), found[name], marker=".", label=name, **style)
        right.set(xlabel="dimensions", ylabel="explained stress", ylim=(None, 1))
    axes[0, 0].legend(fontsize=8)
    axes[0, 1].legend(fontsize=8)
    figure.savefig(RUNS / "language_models.png", dpi=90)


def main() -> None:
    RUNS.mkdir(parents=True, exist_ok=True)
    numbers = {}
    for level in LEVELS:
        record(level)
        numbers[level] = analyse(level)
        print(json.dumps({level: numbers[level]}, indent=1), flush=True)
    (RUNS / "numbers.json").write_text(json.dumps(numbers, indent=1))
    draw(numbers)


if __name__ == "__main__":
    try:
        main()
    except hr.HyperribbonError as error:  # such as: recorded already
        sys.exit(str(error))
