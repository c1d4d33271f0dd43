"""The oracle of a study, new or going on from its folder."""

from collections.abc import Callable
from pathlib import Path

from cnnlab.settings.searching import AlgorithmName
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.shipped import BayesianOracle, GridOracle, HyperbandRungs, RandomOracle
from cnnlab.tuning.oracles.stored import ORACLE_FILE
from cnnlab.tuning.oracles.with_optuna import ASHAOracle, NSGA2Oracle, TPEOracle

ORACLES: dict[AlgorithmName, Callable[[StudyConfig, Path], StudyOracle]] = {
    "random": RandomOracle,
    "grid": GridOracle,
    "bayesian": BayesianOracle,
    "hyperband": HyperbandRungs,
    "tpe": TPEOracle,
    "asha": ASHAOracle,
    "nsga2": NSGA2Oracle,
}


def make_oracle(study: StudyConfig, folder: Path) -> StudyOracle:
    """Return the study's oracle, with all that `folder` knows of its trials; a new one begins there.

    Raises:
        StoreError: the folder holds trials of another search space, or a damaged state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    oracle = ORACLES[study.algorithm.name](study, folder)
    if (folder / ORACLE_FILE).exists():
        oracle.reload()
    else:
        oracle.save()
    return oracle
