"""keras-tuner's Bayesian optimization: a Gaussian process and an upper confidence bound."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize
import sklearn.exceptions
import sklearn.gaussian_process
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.oracles.base import StudyOracle
from cnnlab.tuning.oracles.light import BayesianOptimizationOracle, TrialStatus

# isort: split
from keras_tuner.src.tuners import bayesian as shipped

# Random places that the Gaussian process values for each proposal, and how many of the best are improved.
CANDIDATES = 1000
IMPROVED = 4

# keras-tuner was imported without them, see `cnnlab.tuning.oracles.light`.
vars(shipped).update(scipy=scipy, sklearn=sklearn)


class BayesianOracle(StudyOracle, BayesianOptimizationOracle):
    """Gaussian process and upper confidence bound; a proposal that was tried already becomes a random one.

    keras-tuner looks for the best bound from 50 places, each by hundreds of single predictions; here many places
    are predicted at once and the best few of them improved, which finds as good ones in a fraction of the time.
    """

    def __init__(self, study: StudyConfig, folder: Path):
        options = study.algorithm
        # Three per setting, but half of the trials are left to learn with.
        first = min(3 * len(study.space), max(study.trials // 2, 2))
        super().__init__(
            study,
            folder,
            max_trials=study.trials,
            num_initial_points=options.initial_points or first,
            beta=options.beta,
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the place of the best bound; a random one while too few trials have ended."""
        completed = [trial for trial in self.trials.values() if trial.status == TrialStatus.COMPLETED]
        if len(completed) < self.num_initial_points:
            return self._random_populate_space()
        # One thread: the matrices are small, and beside trainings on all cores several wait for each other.
        with warnings.catch_warnings(), threadpool_limits(1):  # warnings of kernels at the edge of their range
            warnings.simplefilter("ignore")
            values = self._vector_to_values(self._best_place())
        if self._duplicate(values):
            return self._random_populate_space()
        return {"status": TrialStatus.RUNNING, "values": values}

    def _best_place(self) -> NDArray[np.float64]:
        self.gpr.fit(*self._vectorize_trials())

        def bounds_of(places: NDArray[np.float64]) -> NDArray[np.float64]:
            mean, deviation = self.gpr.predict(np.atleast_2d(places), return_std=True)
            return mean - self.beta * deviation

        limits = self._get_hp_bounds()
        places = self._random_state.uniform(limits[:, 0], limits[:, 1], size=(CANDIDATES, len(limits)))
        best = places[np.argsort(bounds_of(places), kind="stable")[:IMPROVED]]
        found = [
            scipy.optimize.minimize(
                lambda place: bounds_of(place)[0], start, bounds=limits, method="L-BFGS-B", options={"maxiter": 20}
            )
            for start in best
        ]
        return min(found, key=lambda one: one.fun).x

    def _make_gpr(self) -> sklearn.gaussian_process.GaussianProcessRegressor:
        # The kernel has one length: fitted from five starts in place of 21.
        return super()._make_gpr().set_params(n_restarts_optimizer=4)

    def get_state(self) -> dict[str, Any]:
        kind, keys, position, *rest = self._random_state.get_state()
        return super().get_state() | {"random_state": [kind, keys.tolist(), position, *rest]}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._random_state.set_state(tuple(state["random_state"]))
