"""Where modules and names went: importing one from its old place fails with one line that says so.

To move a module, add it to ``MOVED``. The finder is the last in `sys.meta_path`, so Python asks it
only for modules that do not exist.
"""

import sys

MOVED = {  # below hyperribbon
    "bootstrap": "numerics.bootstrap",
    "claims": "reporting.claims",
    "claims.chapter2": "studies.manifold.claims.chapter2",
    "claims.corners": "studies.corners.claims",
    "claims.curvature": "studies.curvature.claims",
    "claims.linear": "studies.linear.claims",
    "claims.manifold": "studies.manifold.claims.manifold",
    "claims.progress": "studies.manifold.claims.progress",
    "claims.regression": "studies.regression.claims",
    "claims.rules": "reporting.claims",
    "claims.statistics": "reporting.statistics",
    "claims.synthetic": "studies.synthetic.claims",
    "claims.trajectories": "studies.manifold.claims.trajectories",
    "cluster": "runtime.cluster",
    "code_version": "studies.code_version",
    "compiling": "numerics.compiling",
    "config.canonical": "storage.digest",
    "config.curvature": "studies.curvature.config",
    "config.docs": "studies.schema",
    "config.linear": "studies.linear.config",
    "config.regression": "studies.regression.config",
    "config.study": "studies.study",
    "config.study_file": "storage.study_file",
    "config.synthetic": "studies.synthetic.config",
    "curvature.certify": "pac_bayes.certificate",
    "curvature.pac_bayes": "pac_bayes.bound",
    "curvature.posterior": "pac_bayes.analytic",
    "devices": "runtime.gpus",
    "eigenpairs": "numerics.eigenpairs",
    "figures": "studies.parts",
    "figures.corners": "studies.corners.figures",
    "figures.curvature": "studies.curvature.figures",
    "figures.dimensionality": "studies.manifold.figures.dimensionality",
    "figures.embedding": "studies.manifold.figures.embedding",
    "figures.ensembles": "studies.manifold.figures.ensembles",
    "figures.explorer": "analysis.explorer",
    "figures.interactive": "reporting.interactive",
    "figures.linear": "studies.linear.figures",
    "figures.linear_explorer": "studies.linear.explorer",
    "figures.panels": "reporting.panels",
    "figures.phase": "studies.linear.phase_figure",
    "figures.progress": "studies.manifold.figures.progress",
    "figures.reduction": "studies.curvature.reduction_figures",
    "figures.regression": "studies.regression.figures",
    "figures.style": "reporting.style",
    "figures.synthetic": "studies.synthetic.figures",
    "figures.trajectories": "studies.manifold.figures.trajectories",
    "figures.tubes": "studies.manifold.figures.tubes",
    "files": "storage.files",
    "linear.looseness": "linear.tightness",
    "locks": "storage.locks",
    "loose_files": "storage.loose_files",
    "manifest": "storage.manifest",
    "models": "storage.models",
    "page": "reporting.page",
    "pairwise.growth": "studies.manifold.incremental_distance",
    "probability.blocks": "numerics.blocks",
    "provenance": "storage.provenance",
    "reporting.embedding_axes": "plot.references",
    "steps": "studies.step",
    "steps.claims": "studies.report.claims",
    "steps.corners": "studies.corners.corners",
    "steps.curvature": "studies.curvature.curvature",
    "steps.distance": "studies.manifold.distance",
    "steps.draw": "studies.report.draw",
    "steps.embed": "studies.manifold.embed",
    "steps.ensembles": "studies.manifold.ensembles",
    "steps.explore": "studies.manifold.explore",
    "steps.explore_linear": "studies.linear.explore",
    "steps.fetch_data": "studies.grid.fetch_data",
    "steps.four_points": "studies.manifold.four_points",
    "steps.gather_report": "studies.report.gather_report",
    "steps.joint": "studies.manifold.joint",
    "steps.linear": "studies.linear.linear",
    "steps.linear_experiment": "studies.linear.experiment",
    "steps.linear_inputs": "studies.linear.inputs",
    "steps.linear_tables": "studies.linear.tables",
    "steps.metrics": "studies.manifold.metrics",
    "steps.null_model": "studies.manifold.null_model",
    "steps.prepare_data": "studies.grid.prepare_data",
    "steps.progress": "studies.manifold.progress",
    "steps.regression": "studies.regression.regression",
    "steps.spectra": "studies.curvature.spectra",
    "steps.subsets": "studies.manifold.subsets",
    "steps.summarise": "studies.manifold.summarise",
    "steps.synthetic_beside": "studies.synthetic.image_spectrum",
    "steps.synthetic_corners": "studies.synthetic.corners",
    "steps.synthetic_manifold": "studies.synthetic.manifold",
    "steps.synthetic_students": "studies.synthetic.students",
    "steps.synthetic_tables": "studies.synthetic.tables",
    "steps.synthetic_train": "studies.synthetic.train",
    "steps.tables": "studies.manifold.tables",
    "steps.train": "studies.grid.train",
    "steps.trajectories": "studies.manifold.trajectories",
    "steps.trajectory_space": "studies.manifold.trajectory_space",
    "steps.verify": "studies.report.verify",
    "store": "storage.dataset",
    "stored_predictions": "storage.predictions",
    "synthetic": "studies.synthetic.analysis",
    "tables": "storage.tables",
    "training.device": "runtime.device",
    "training.finished": "runtime.cached_pieces",
    "training.objective": "training.methods.supervised",
    "training.students": "studies.synthetic.student_training",
    "training.synthetic": "studies.synthetic.training",
    "training.work": "runtime.work",
    "verification": "storage.verification",
    # Names that modules no longer have.
    "config.AnalysisConfig": "studies.manifold.config.AnalysisConfig",
    "config.CombinationConfig": "studies.study.CombinationConfig",
    "config.CornersConfig": "studies.corners.config.CornersConfig",
    "config.CurvatureConfig": "studies.curvature.config.CurvatureConfig",
    "config.DaskConfig": "studies.study.DaskConfig",
    "config.LinearConfig": "studies.linear.config.LinearConfig",
    "config.LinearExperimentsConfig": "studies.linear.config.LinearExperimentsConfig",
    "config.RatiosConfig": "studies.linear.config.RatiosConfig",
    "config.RegressionConfig": "studies.regression.config.RegressionConfig",
    "config.SlopesConfig": "studies.linear.config.SlopesConfig",
    "config.StepsConfig": "studies.linear.config.StepsConfig",
    "config.StudentsConfig": "studies.synthetic.config.StudentsConfig",
    "config.StudyConfig": "studies.study.StudyConfig",
    "config.SyntheticConfig": "studies.synthetic.config.SyntheticConfig",
    "config.SyntheticCornersConfig": "studies.synthetic.config.SyntheticCornersConfig",
    "config.SyntheticDataConfig": "studies.synthetic.config.SyntheticDataConfig",
    "config.SyntheticExperiment": "studies.synthetic.config.SyntheticExperiment",
    "config.TRAINING_KEYS": "studies.study.TRAINING_KEYS",
    "config.canonical_json": "storage.digest.canonical_json",
    "config.digest": "storage.digest.digest",
    "config.parse_study": "studies.study.parse_study",
}


def moved(name: str) -> str | None:
    """Say in one line where a module or name went; None if it did not move.

    >>> moved("hyperribbon.locks")
    'hyperribbon.locks is hyperribbon.storage.locks now'
    """
    package, _, old = name.partition(".")
    return f"{name} is {package}.{MOVED[old]} now" if old in MOVED else None


class _Finder:
    @staticmethod
    def find_spec(name: str, path=None, target=None) -> None:
        """Raise a ModuleNotFoundError for a module that has moved."""
        if name.startswith("hyperribbon.") and moved(name):
            # Without its name: ``from hyperribbon import locks`` would drop the message.
            raise ModuleNotFoundError(moved(_asked_for(name)) or moved(name))


def _asked_for(package: str) -> str:
    """The module of a package whose import made Python look for the package first, or itself."""
    frame = sys._getframe().f_back
    while frame is not None:
        name = frame.f_locals.get("name") if frame.f_code.co_name == "_find_and_load" else None
        if name and name.startswith(f"{package}."):
            return name
        frame = frame.f_back
    return package


sys.meta_path.append(_Finder)
