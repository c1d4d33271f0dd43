"""The oracle of a study, new or going on from its folder."""

import importlib
from pathlib import Path

from cnnlab.settings.searching import AlgorithmName
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.limits import ORACLE_FILE
from cnnlab.tuning.oracles.base import StudyOracle

# Module and class: each is imported where it is asked for, as scikit-learn behind one alone takes 120 MiB.
ORACLES: dict[AlgorithmName, tuple[str, str]] = {
    "random": ("shipped", "RandomOracle"),
    "grid": ("shipped", "GridOracle"),
    "bayesian": ("bayesian", "BayesianOracle"),
    "hyperband": ("shipped", "HyperbandRungs"),
    "tpe": ("with_optuna", "TPEOracle"),
    "asha": ("with_optuna", "ASHAOracle"),
    "nsga2": ("with_optuna", "NSGA2Oracle"),
}


def make_oracle(study: StudyConfig, folder: Path) -> StudyOracle:
    """Return the study's oracle, with all that `folder` knows of its trials; a new one begins there.

    Raises:
        StoreError: the folder holds trials of another search space, or a damaged state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    module, name = ORACLES[study.algorithm.name]
    oracle: StudyOracle = getattr(importlib.import_module(f"cnnlab.tuning.oracles.{module}"), name)(study, folder)
    if (folder / ORACLE_FILE).exists():
        oracle.reload()
    else:
        oracle.save()
    return oracle
