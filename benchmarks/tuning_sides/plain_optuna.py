"""Plain Optuna: TPE around `model.fit`, in one process, as a tutorial writes it."""

import json
import sys


def main(text: str) -> None:
    given = json.loads(text)
    from benchmarks.tuning_sides.task import BATCH_SIZES, OPTIMIZERS, RATES, Data, Watch, fit

    watch = Watch()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data = Data(given["store"])

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("rate", *RATES, log=True)
        optimizer = trial.suggest_categorical("optimizer", OPTIMIZERS)
        batch_size = trial.suggest_categorical("batch_size", BATCH_SIZES)
        value = max(fit(data, given["epochs"], rate, optimizer, batch_size).history["val_accuracy"])
        watch.tell(value)
        return value

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=given["seed"]))
    study.optimize(objective, n_trials=given["trials"])


if __name__ == "__main__":
    main(sys.argv[1])
