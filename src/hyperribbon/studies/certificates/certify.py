"""Certificates of the trainings of one configuration, by one method."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.nn.utils import parameters_to_vector

from hyperribbon.curvature.sloppiness import elbow
from hyperribbon.errors import DataError
from hyperribbon.networks.weights import put_weights
from hyperribbon.pac_bayes.optimised import OptimisedCertificate, certify_optimised
from hyperribbon.pac_bayes.prior import PriorWeights
from hyperribbon.pac_bayes.samples import BoundedSamples, set_aside
from hyperribbon.pac_bayes.tables import (
    SCALE_COLUMNS,
    dimension_at,
    scale_correlation,
    scales_by_rank,
)
from hyperribbon.runtime.device import own_gpu, resolve_device
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.certificates.config import (
    SHAPED,
    TRAINED,
    CertificatesConfig,
)
from hyperribbon.studies.grid.trained import Trained, build, chosen, open_trained
from hyperribbon.studies.step import logger, run_step

WHO = ["configuration", "network", "optimiser", "augmentation", "seed", "method"]
OF_CERTIFICATE = ["error", "error_limit", "kl", "penalty", "bound", "non_vacuous"]
OF_OPTIMISED = ["epsilon", "squared_distance", "effective_dimension", "train_error", "test_error"]
OF_OPTIMISED += ["posterior_test_error", "n_bounded", "n_prior", "seconds"]
OTHERS = ["maurer", "quadratic", "lambda", "pinsker"]
OF_SPECTRUM = ["stiff", "elbow", "strength", "sloppy_factor", "correlation"]
SCALES = ["eigenvalue", "prior_scale", "posterior_scale"]
ROUNDING = 1e-12  # of eigenvalues, relative to the largest
HISTORY = ["epoch", "objective", "surrogate_loss", "kl"]
COLUMNS = {
    "certificates": [*WHO, "classes", "parameters", *OF_CERTIFICATE, *OTHERS, *OF_OPTIMISED,
                     *OF_SPECTRUM],
    "posterior_scales": [*WHO, *SCALE_COLUMNS],
    "certificate_optimisation": [*WHO, *HISTORY],
}  # fmt: skip


def main(
    predictions: Path,
    data: Path,
    certificates: CertificatesConfig,
    output: list[Path],
    gpus: int = 0,
) -> None:
    """Certify the trainings of one configuration.

    Parameters
    ----------
    predictions : manifest of the trainings
    data : manifest of the data
    certificates : section of the study with one method, JSON
    output : CSV files, TABLE-CONFIGURATION-METHOD.csv
    gpus : number of GPUs that the job was given
    """
    torch.set_num_threads(1)
    trained = open_trained(predictions, data)
    if not trained.seeds:
        logger.warning("%s: all seeds diverged, so there is nothing to certify", trained.path)
    wanted = "auto" if gpus else "cpu"
    with own_gpu(wanted, gpus):
        device = resolve_device(wanted)
        found = [certify_seed(trained, seed, certificates, device) for seed in trained.seeds]
    for path in output:
        name = path.stem.split("-")[0]
        parts = [tables[name] for tables in found]
        whole = pd.concat(parts) if parts else pd.DataFrame()
        write_table(whole.reindex(columns=COLUMNS[name]), path)


def certify_seed(
    trained: Trained, seed: int, section: CertificatesConfig, device: torch.device
) -> dict[str, pd.DataFrame]:
    """The tables of one training."""
    configuration, dataset = trained.configuration, trained.dataset
    (method,) = section.methods
    label = f"{configuration.label} seed {seed}, {method}"
    network = build(configuration, dataset).float().to(device)
    steps = trained.store["snapshot_step"].values
    ends = []
    for step in (steps[0], steps[-1]):  # before and after the training
        put_weights(network, load_weights(trained.store, seed, int(step)))
        ends.append(parameters_to_vector(network.parameters()).detach().double().cpu().numpy())
    initial, final = ends
    inputs, labels = chosen(dataset, "train", noise=configuration.augmentation.random_labels)
    prior: dict[str, Any] = {}
    if section.set_aside:
        samples, bounded = set_aside(inputs, labels, section.set_aside)
        if method == SHAPED:
            prior["prior_samples"] = samples
        if method == TRAINED:
            training = configuration.training
            prior["prior_weights"] = PriorWeights(
                network, initial, samples, epochs=training.epochs, seed=seed
            )
    else:
        bounded = BoundedSamples(inputs, labels)
    found = certify_optimised(
        network, initial, final, bounded, chosen(dataset, "test"),
        method="hessian" if method == TRAINED else method, **prior,
        epochs=section.epochs, batch_size=section.batch_size,
        learning_rate=section.learning_rate, draws=section.draws, seed=seed, progress_bar=label,
    )  # fmt: skip
    who = dict(zip(WHO, (
        configuration.id, configuration.network_name, configuration.optimiser_name,
        configuration.augmentation_name, seed, method,
    ), strict=True))  # fmt: skip
    row = certificate_row(found) | {"classes": dataset.n_classes, "parameters": len(final)}
    logger.info("%s: bound %.3f, error %.3f", label, row["bound"], row["error"])
    return {
        "certificates": pd.DataFrame([who | row]),
        "posterior_scales": scales_by_rank(**found.scales).assign(**who),
        "certificate_optimisation": pd.DataFrame(found.history).assign(**who),
    }


def certificate_row(found: OptimisedCertificate) -> dict[str, Any]:
    """A certificate in numbers, with how stiff the spectrum is at the scale of the prior."""
    values, prior, posterior = (found.scales[name] for name in SCALES)
    row = {name: getattr(found.certificate, name) for name in OF_CERTIFICATE}
    row |= {name: getattr(found, name) for name in OF_OPTIMISED}
    row |= found.other_bounds
    # The curvature where all directions have the same prior: the eigenvalues, if it is isotropic.
    even = values * prior**2 * found.epsilon
    stiff = dimension_at(even, found.n_bounded, found.epsilon)
    row |= {"stiff": stiff.pop("effective_dimension"), **stiff}
    with suppress(DataError):  # too few eigenvalues
        row["elbow"] = elbow(values, ROUNDING)
    return row | {"correlation": scale_correlation(values, posterior / prior)}


if __name__ == "__main__":
    run_step(main)
