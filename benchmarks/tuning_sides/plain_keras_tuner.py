"""Plain keras-tuner: Bayesian optimization around `model.fit`, in one process, as a tutorial writes it."""

import json
import sys
import tempfile


def main(text: str) -> None:
    given = json.loads(text)
    from benchmarks.tuning_sides.task import BATCH_SIZES, OPTIMIZERS, RATES, Data, Watch, fit

    watch = Watch()
    import keras_tuner

    data = Data(given["store"])

    class Search(keras_tuner.BayesianOptimization):
        def run_trial(self, trial, *_, **__):
            hp = trial.hyperparameters
            rate = hp.Float("rate", *RATES, sampling="log")
            chosen = hp.Choice("optimizer", OPTIMIZERS), hp.Choice("batch_size", BATCH_SIZES)
            history = fit(data, given["epochs"], rate, *chosen)
            watch.tell(max(history.history["val_accuracy"]))
            return history

    with tempfile.TemporaryDirectory() as folder:
        search = Search(
            objective=keras_tuner.Objective("val_accuracy", "max"),
            max_trials=given["trials"],
            seed=given["seed"],
            directory=folder,
        )
        search.search(verbose=0)


if __name__ == "__main__":
    main(sys.argv[1])
