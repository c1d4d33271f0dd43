"""Every oracle on functions whose best point is known, killed and resumed, and against Optuna itself."""

import functools
import itertools
import json
import math

import optuna
import pytest

from cnnlab.analysis.study_plan import hyperband_epochs
from cnnlab.errors import ConfigError, StoreError
from cnnlab.settings.rungs import sweep_size
from cnnlab.settings.searching import BEGINS_ANYWHERE
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning import space
from cnnlab.tuning.oracles.light import Trial, TrialStatus
from cnnlab.tuning.oracles.making import ORACLES, make_oracle
from cnnlab.tuning.oracles.stored import FINAL_STEP, hashed_seed
from cnnlab.tuning.pareto import ranks

RATES = {"training.learning_rate": "float(1e-4, 1, log)", "training.weight_decay": "float(0, 1)"}
MIXED = RATES | {
    "training.optimizer": ["sgd", "adam"],
    "training.momentum": "float(0, 0.9, step=0.3)",
    "tricks.clip_norm": [None, 1.0],
    "training.batch_size": "int(8, 64, log)",
}
SMALL = {
    "training.optimizer": ["sgd", "adam", "rmsprop"],
    "training.momentum": [0.5, 0.9],
    "tricks.clip_norm": [None, 1],
}
SINGLE = [name for name in ORACLES if name != "nsga2"]


def study(searched, algorithm, *, trials=12, epochs=3, **others):
    """A study with options that are small enough for a test."""
    options = {"name": algorithm, "initial_points": 4, "grid_points": 3, "population": 4}
    return study_from_dict({"space": searched, "algorithm": options, "budget": {"trials": trials, "epochs": epochs},
                            **others})  # fmt: skip


def bowl(values):
    """Best, with 1, at a learning rate of 0.01 and a weight decay of 0.5."""
    rate, decay = math.log10(values["training.learning_rate"]) / 2 + 1, values["training.weight_decay"] - 0.5
    return 1 - rate**2 - 2 * decay**2


def train(oracle, trial, function, epochs):
    """Report the curve of a trial as a worker does; return whether it was stopped."""
    values = space.decode(oracle.study, trial.hyperparameters.values)
    for epoch in range(1, epochs + 1):
        answer = oracle.update_trial(trial.trial_id, {"val_accuracy": function(values) - 0.1 / epoch}, epoch)
        if answer.status == TrialStatus.STOPPED:
            return True
    return False


def end(oracle, trial, status=TrialStatus.COMPLETED):
    """End a trial as a worker does: with a copy that came over the wire."""
    copy = Trial.from_proto(trial.to_proto())
    copy.status = status
    oracle.end_trial(copy)


def drive(oracle, function=bowl, most=200):
    """Work off a search alone; return the values of its trials in order."""
    tried = []
    while len(tried) < most:
        trial = oracle.create_trial("w0")
        if trial.status != TrialStatus.RUNNING:
            assert trial.status == TrialStatus.STOPPED
            break
        tried.append(dict(trial.hyperparameters.values))
        train(oracle, trial, function, space.rung_epochs(tried[-1]) or oracle.study.epochs)
        end(oracle, trial)
    return tried


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Return an oracle behind 25 trials in the bowl, and these; each algorithm searches once."""

    @functools.cache
    def search(algorithm):
        oracle = make_oracle(study(RATES, algorithm, trials=25, epochs=9), tmp_path_factory.mktemp(algorithm))
        return oracle, drive(oracle)

    return search


@pytest.mark.parametrize("algorithm", SINGLE)
def test_an_oracle_comes_near_the_best_point(algorithm, searched):
    oracle, tried = searched(algorithm)
    assert len(tried) == (9 if algorithm == "grid" else 25)
    best = oracle.get_best_trials(1)[0]
    assert best.score > 0.75
    assert all(trial.status == TrialStatus.COMPLETED for trial in oracle.trials.values())


def test_those_that_learn_come_nearer_than_chance(searched):
    away = {name: 1 - searched(name)[0].get_best_trials(1)[0].score - 0.1 / 9 for name in ("random", "bayesian", "tpe")}
    assert away["bayesian"] < away["random"] / 2
    assert away["tpe"] < away["random"]


@pytest.mark.parametrize("algorithm", ORACLES)
def test_a_killed_search_goes_on_with_the_same_trials(algorithm, tmp_path):
    asked = study(MIXED, algorithm, trials=14)
    whole = drive(make_oracle(asked, tmp_path / "whole"), most=14)
    function = lambda values: bowl(values)  # noqa: E731
    found = []
    for _ in range(20):
        # Each trial is begun by one oracle and ended by the next, as where the process is killed in between.
        oracle = make_oracle(asked, tmp_path / "killed")
        if oracle.ongoing_trials:
            trial = oracle.create_trial("w0")
            found.append(dict(trial.hyperparameters.values))
            train(oracle, trial, function, space.rung_epochs(found[-1]) or asked.epochs)
            end(oracle, trial)
        if len(found) == len(whole) or oracle.create_trial("w0").status == TrialStatus.STOPPED:
            break
    assert found == whole
    assert sorted(path.name for path in (tmp_path / "killed").glob("trial_*")) == [
        f"trial_{number:05d}" for number in range(len(whole))
    ]


@pytest.mark.parametrize("algorithm", BEGINS_ANYWHERE)
def test_the_first_trial_may_be_the_run_itself(algorithm, tmp_path):
    options = {"name": algorithm, "initial_points": 3, "population": 4, "begin_with_run": True}
    run = {"training": {"optimizer": "adam", "learning_rate": 0.01, "weight_decay": 0.3, "epochs": 2}}
    asked = study_from_dict({"run": run, "space": MIXED, "algorithm": options, "budget": {"trials": 8}})
    tried = drive(make_oracle(asked, tmp_path / "whole"))
    first = space.decode(asked, tried[0])
    assert first == space.own(asked)
    assert (first["training.learning_rate"], first["training.optimizer"]) == (0.01, "adam")
    assert len({json.dumps(values, sort_keys=True) for values in tried}) == len(tried) == 8
    # Killed behind its first trial, the search is the same.
    drive(make_oracle(asked, tmp_path / "killed"), most=1)
    assert drive(make_oracle(asked, tmp_path / "killed")) == tried[1:]


@pytest.mark.parametrize("algorithm", ["grid", "hyperband"])
def test_those_with_an_order_of_their_own_begin_where_they_begin(algorithm):
    with pytest.raises(ConfigError, match="begin_with_run does not go with"):
        study_from_dict({"space": SMALL, "algorithm": {"name": algorithm, "begin_with_run": True}})


@pytest.mark.parametrize("algorithm", ORACLES)
def test_a_finite_space_is_tried_out_and_nothing_twice(algorithm, tmp_path):
    asked = study(SMALL, algorithm, trials=30, epochs=1)
    tried = drive(make_oracle(asked, tmp_path), lambda values: float(values["training.optimizer"] == "adam"))
    decoded = [json.dumps(space.decode(asked, values), sort_keys=True) for values in tried]
    assert len(set(decoded)) == len(decoded)
    if algorithm != "hyperband":
        assert len(decoded) == space.size(asked) == 8


def test_seeds_beside_each_other_give_different_searches(tmp_path):
    tried = [
        {
            tuple(values.values())
            for values in drive(make_oracle(study(RATES, "random", seed=seed), tmp_path / str(seed)))
        }
        for seed in range(3)
    ]
    assert not any(one & other for one, other in itertools.combinations(tried, 2))
    assert hashed_seed(study(RATES, "random")) > 0


def test_a_grid_has_every_combination_of_a_conditional_space(tmp_path):
    few = {path: MIXED[path] for path in (*RATES, "training.optimizer", "training.momentum")}
    asked = study(few, "grid", trials=None, epochs=1)
    tried = [space.decode(asked, values) for values in drive(make_oracle(asked, tmp_path))]
    combinations = [
        dict(zip(asked.space, values, strict=True))
        for values in itertools.product(*[searched.grid(3) for searched in asked.space.values()])
    ]
    expected = {json.dumps(space.active(asked, one), sort_keys=True) for one in combinations}
    assert {json.dumps(one, sort_keys=True) for one in tried} == expected
    assert len(tried) == len(expected) == space.grid_size(asked) == asked.trials == 3 * 3 * (4 + 1)


def test_hyperband_has_the_brackets_of_its_paper_and_goes_on_from_its_own_trials(tmp_path):
    asked = study(RATES, "hyperband", trials=None, epochs=9)
    oracle = make_oracle(asked, tmp_path)
    tried = drive(oracle)
    # Brackets of 9, 3 and 1 trials to epochs 1, 3 and 9, of 5 and 2 to epochs 3 and 9, and of 3 to epoch 9.
    assert len(tried) == 13 + 7 + 3 == sweep_size(9, 3) == asked.trials
    epochs = [values["tuner/epochs"] - values["tuner/initial_epoch"] for values in tried]
    assert sum(epochs) == (9 * 1 + 3 * 2 + 1 * 6) + (5 * 3 + 2 * 6) + 3 * 9
    assert epochs == hyperband_epochs(asked), "what the form says before it starts"
    for values in tried:
        if values["tuner/round"]:
            before = oracle.trials[values["tuner/trial_id"]].hyperparameters.values
            assert space.decode(asked, before) == space.decode(asked, values)
            assert before["tuner/epochs"] == values["tuner/initial_epoch"]
    assert oracle.continuing() == []
    oracle.allow(23 + 15)
    assert len(drive(make_oracle(asked, tmp_path))) == 15, "of another sweep, as many as were asked for"


def test_hyperband_keeps_to_the_trials_of_its_budget(tmp_path):
    asked = study(RATES, "hyperband", trials=11, epochs=9)
    assert [values["tuner/round"] for values in drive(make_oracle(asked, tmp_path))] == [0] * 9 + [1] * 2
    assert sum(hyperband_epochs(asked)[:11]) == 9 + 2 * 2


@pytest.mark.parametrize(("failing", "promoted"), [(3, 3), (7, 2), (9, 0)])
def test_hyperband_goes_on_with_the_best_of_those_that_did_not_fail(failing, promoted, tmp_path):
    oracle = make_oracle(study(RATES, "hyperband", trials=None, epochs=9), tmp_path)
    for number in range(9):
        trial = oracle.create_trial("w0")
        assert trial.hyperparameters.values["tuner/round"] == 0
        oracle.update_trial(trial.trial_id, {"val_accuracy": number / 10}, 1)
        end(oracle, trial, TrialStatus.FAILED if number < failing else TrialStatus.COMPLETED)
    gone_on = []
    while (trial := oracle.create_trial("w0")).hyperparameters.values["tuner/round"] == 1:
        gone_on.append(trial.hyperparameters.values["tuner/trial_id"])
        oracle.update_trial(trial.trial_id, {"val_accuracy": 0.1}, 3)
        end(oracle, trial)
    assert gone_on == [f"{number:05d}" for number in range(8, 8 - promoted, -1)]


def test_hyperband_promotes_in_a_space_that_has_fewer_trials_than_its_first_rung(tmp_path):
    asked = study(SMALL, "hyperband", trials=None, epochs=9)
    tried = drive(make_oracle(asked, tmp_path), lambda values: float(values["training.optimizer"] == "adam"))
    assert [values["tuner/round"] for values in tried] == [0] * 8 + [1] * 3 + [2]
    gone_on = [values["training.optimizer"] == "adam" for values in tried[8:]]
    assert gone_on == [True, True, False, True], "there are two with it"


def test_hyperband_says_from_which_trials_others_may_still_go_on(tmp_path):
    oracle = make_oracle(study(RATES, "hyperband", trials=None, epochs=9), tmp_path)
    seen = []
    for number in range(14):
        trial = oracle.create_trial("w0")
        seen.append(len(oracle.continuing()))
        train(oracle, trial, bowl, number + 1)
        end(oracle, trial)
    # The nine of the first rung until the three of the second have ended; these until the one of the third has.
    assert seen == [*range(1, 10), 10, 11, 12, 3, 1]
    assert json.loads((tmp_path / "oracle.json").read_text())["continuing"] == oracle.continuing()


@pytest.mark.parametrize(
    ("algorithm", "sampler"),
    [
        ("tpe", lambda seed: optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)),
        ("nsga2", lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=4)),
    ],
)
def test_samplers_propose_what_optuna_proposes(algorithm, sampler, tmp_path):
    asked = study(RATES, algorithm, trials=16, epochs=1)
    tried = [space.decode(asked, values) for values in drive(make_oracle(asked, tmp_path))]
    theirs = optuna.create_study(sampler=sampler(hashed_seed(asked)), direction="maximize")

    def objective(trial):
        values = {
            "training.learning_rate": trial.suggest_float("training.learning_rate", 1e-4, 1, log=True),
            "training.weight_decay": trial.suggest_float("training.weight_decay", 0, 1),
        }
        trial.report(bowl(values) - 0.1, 1)
        return bowl(values) - 0.1

    theirs.optimize(objective, n_trials=16)
    for mine, other in zip(tried, theirs.trials, strict=True):
        assert mine == pytest.approx(other.params, rel=1e-9)


def test_asha_stops_the_trials_that_optuna_prunes(tmp_path):
    asked = study(RATES, "asha", trials=20, epochs=9)
    oracle = make_oracle(asked, tmp_path)
    drive(oracle)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    sampler = optuna.samplers.RandomSampler(seed=hashed_seed(asked))
    theirs = optuna.create_study(sampler=sampler, pruner=pruner, direction="maximize")

    def objective(trial):
        values = {
            "training.learning_rate": trial.suggest_float("training.learning_rate", 1e-4, 1, log=True),
            "training.weight_decay": trial.suggest_float("training.weight_decay", 0, 1),
        }
        for epoch in range(1, 10):
            trial.report(bowl(values) - 0.1 / epoch, epoch)
            if epoch < 9 and trial.should_prune():
                raise optuna.TrialPruned
        return bowl(values) - 0.1 / 9

    theirs.optimize(objective, n_trials=20)
    pruned = {
        f"{trial.number:05d}": trial.last_step
        for trial in theirs.trials
        if trial.state == optuna.trial.TrialState.PRUNED
    }
    assert oracle._stopped_at == pruned
    assert set(pruned.values()) == {1, 3}
    assert 5 < len(pruned) < 20
    done = sum(len(oracle.curve(trial)) for trial in oracle.trials.values())
    assert done < 0.6 * 20 * 9


@pytest.mark.parametrize("algorithm", ["random", "tpe", "nsga2"])
def test_the_score_of_several_objectives_is_the_front_of_a_trial(algorithm, tmp_path):
    asked = study(RATES, algorithm, trials=24, objectives=["val_accuracy", "macs"])
    oracle = make_oracle(asked, tmp_path)
    points = []
    while (trial := oracle.create_trial("w0")).status == TrialStatus.RUNNING:
        values = space.decode(asked, trial.hyperparameters.values)
        points.append((bowl(values), 100 * values["training.weight_decay"]))
        oracle.update_trial(trial.trial_id, {"val_accuracy": points[-1][0]}, 1)
        oracle.update_trial(trial.trial_id, {"macs": points[-1][1]}, FINAL_STEP)
        end(oracle, trial)
    front = [
        not any(a >= c and b <= d and (a, b) != (c, d) for a, b in points) for c, d in points
    ]  # fmt: skip
    assert [trial.score == 0 for trial in oracle.trials.values()] == front
    assert {trial.score for trial in make_oracle(asked, tmp_path).trials.values()} == set(
        ranks(points, ["max", "min"]).tolist()
    )


def test_workers_side_by_side_get_different_trials_and_keep_them(tmp_path):
    asked = study(RATES, "tpe", trials=8, workers=3)
    oracle = make_oracle(asked, tmp_path)
    first = {name: oracle.create_trial(name).trial_id for name in ("w0", "w1", "w2")}
    assert len(set(first.values())) == 3
    again = make_oracle(asked, tmp_path)
    assert {name: again.create_trial(name).trial_id for name in first} == first
    assert again.release("w1") == first["w1"]
    assert make_oracle(asked, tmp_path).create_trial("w7").trial_id == first["w1"]


@pytest.mark.parametrize("algorithm", ["bayesian", "tpe", "asha"])
def test_failures_are_kept_and_the_search_goes_on(algorithm, tmp_path):
    oracle = make_oracle(study(RATES, algorithm, trials=10), tmp_path)
    for number in range(10):
        trial = oracle.create_trial("w0")
        if number in (3, 4, 5, 6, 7):
            oracle.update_trial(trial.trial_id, {"val_accuracy": math.nan}, 1)
            end(oracle, trial, TrialStatus.COMPLETED if number == 3 else TrialStatus.FAILED)
            end(oracle, trial)  # said twice: it counts once, as it was said first
        else:
            train(oracle, trial, bowl, 3)
            end(oracle, trial)
    statuses = [trial.status for trial in make_oracle(oracle.study, tmp_path).trials.values()]
    assert [status == TrialStatus.FAILED for status in statuses] == [number in (3, 4, 5, 6, 7) for number in range(10)]
    assert oracle.trials["00003"].message == "It reported no finite val_accuracy."
    assert oracle.create_trial("w0").status == TrialStatus.STOPPED
    oracle.allow(12)
    assert make_oracle(oracle.study, tmp_path).create_trial("w0").trial_id == "00010"


def test_a_trial_that_ended_just_before_the_kill_stays_ended(tmp_path, monkeypatch):
    asked = study(MIXED, "grid", trials=30)
    oracle = make_oracle(asked, tmp_path)
    trial = oracle.create_trial("w0")
    train(oracle, trial, bowl, 3)
    monkeypatch.setattr(oracle, "save", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        end(oracle, trial)
    again = make_oracle(asked, tmp_path)
    assert (again.trials["00000"].status, again.ongoing_trials, again.end_order) == ("COMPLETED", {}, ["00000"])
    assert again.create_trial("w0").trial_id == "00001"


def test_trials_of_another_space_are_refused(tmp_path):
    make_oracle(study(RATES, "random"), tmp_path)
    with pytest.raises(StoreError, match=r"belong to another search space, run or objective.*'clone' takes"):
        make_oracle(study(MIXED, "random"), tmp_path)


def test_the_best_of_the_epochs_counts_unless_a_last_value_is_said(tmp_path):
    oracle = make_oracle(study(RATES, "random", trials=2), tmp_path)
    for final in (None, 0.4):
        trial = oracle.create_trial("w0")
        for epoch, value in enumerate((0.3, math.nan, 0.7, 0.2), 1):
            oracle.update_trial(trial.trial_id, {"val_accuracy": 9.0}, epoch)
            oracle.update_trial(trial.trial_id, {"val_accuracy": value}, epoch)  # again, after a restart
        if final is not None:
            oracle.update_trial(trial.trial_id, {"val_accuracy": final}, FINAL_STEP)
        end(oracle, trial)
    assert [trial.score for trial in oracle.trials.values()] == [0.7, 0.4]
    assert oracle.trials["00000"].best_step == 3


@pytest.mark.parametrize("rule", ["median", "percentile"])
def test_bad_trials_are_stopped_and_a_resumed_search_knows(rule, tmp_path):
    asked = study(RATES, "random", trials=16, pruning={"rule": rule, "min_trials": 3, "percentile": 40.0})
    oracle = make_oracle(asked, tmp_path)
    drive(oracle)
    stopped = [trial_id for trial_id in oracle.trials if oracle.was_stopped(trial_id)]
    assert 3 < len(stopped) < 14
    scores = {trial_id: trial.score for trial_id, trial in oracle.trials.items()}
    assert max(scores, key=scores.get) not in stopped
    assert [trial_id for trial_id in scores if make_oracle(asked, tmp_path).was_stopped(trial_id)] == stopped
