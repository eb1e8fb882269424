"""Certificates of the trainings of one configuration, by one method."""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import torch

from hyperribbon.curvature.over_training import put_weights
from hyperribbon.curvature.sloppiness import elbow
from hyperribbon.curvature.tables import SLOPES_FROM
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.optimised import OptimisedCertificate, certify_optimised
from hyperribbon.pac_bayes.samples import set_aside
from hyperribbon.pac_bayes.tables import (
    SCALE_COLUMNS,
    dimension_at,
    scale_correlation,
    scales_by_rank,
)
from hyperribbon.runtime.device import own_gpu, resolve_device
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.certificates.config import CertificatesConfig
from hyperribbon.studies.grid.trained import Trained, build, chosen, open_trained
from hyperribbon.studies.step import logger, run_step

WHO = ["configuration", "network", "optimiser", "augmentation", "seed", "method"]
COLUMNS = {
    "certificates": [
        *WHO, "n", "n_prior", "classes", "parameters", "train_error", "test_error", "error",
        "error_limit", "posterior_test_error", "kl", "penalty", "bound", "non_vacuous", "epsilon",
        "squared_distance", "effective_dimension", "elbow", "strength", "sloppy_factor",
        "correlation", "seconds",
    ],
    "posterior_scales": [*WHO, *SCALE_COLUMNS],
    "certificate_optimisation": [*WHO, "epoch", "objective", "loss", "kl"],
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
        columns = COLUMNS[name]
        parts = [tables[name] for tables in found]
        whole = pd.concat(parts) if parts else pd.DataFrame()
        write_table(whole.reindex(columns=columns), path)


def certify_seed(
    trained: Trained, seed: int, section: CertificatesConfig, device: torch.device
) -> dict[str, pd.DataFrame]:
    """The tables of one training."""
    configuration, dataset = trained.configuration, trained.dataset
    (method,) = section.methods
    network = build(configuration, dataset).to(device)
    steps = trained.store["snapshot_step"].values
    weights = []
    for step in (steps[0], steps[-1]):  # before and after the training
        put_weights(network, load_weights(trained.store, seed, int(step)))
        weights.append(torch.nn.utils.parameters_to_vector(network.parameters()).detach().cpu())
    samples = chosen(dataset, "train", noise=configuration.augmentation.random_labels)
    apart = set_aside(*samples, count=section.set_aside, seed=0)
    found = certify_optimised(
        network,
        weights[0].numpy(),
        weights[1].numpy(),
        apart.bounded,
        chosen(dataset, "test"),
        method=method,
        prior_samples=apart.prior,
        epochs=section.epochs,
        batch_size=section.batch_size,
        learning_rate=section.learning_rate,
        draws=section.draws,
        seed=seed,
        progress_bar=f"{configuration.label} seed {seed}, {method}",
    )
    who = {
        "configuration": configuration.id,
        "network": configuration.network_name,
        "optimiser": configuration.optimiser_name,
        "augmentation": configuration.augmentation_name,
        "seed": seed,
        "method": method,
    }
    counts = {"classes": dataset.n_classes, "parameters": len(weights[0])}
    logger.info("%s: bound %.3f", method, found.certificate.bound)
    return {
        "certificates": pd.DataFrame([{**who, **counts, **certificate_row(found)}]),
        "posterior_scales": scales_by_rank(*found.scales).assign(**who),
        "certificate_optimisation": pd.DataFrame(found.history).assign(**who),
    }


if __name__ == "__main__":
    run_step(main)
