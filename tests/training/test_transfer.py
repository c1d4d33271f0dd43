"""A training that begins with the weights of another: what is taken, what stays, what moves, and how it goes on."""

import json

import keras
import numpy as np
import pytest

from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.errors import ConfigError
from cnnlab.runs.continuing import begin, extended
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.training.control import Control, PausedError
from cnnlab.training.recorder import NullRecorder
from cnnlab.training.trainer import Context, train
from cnnlab.training.transfer import recoloured

# An epoch has 5 steps, so 3 looks: after 2 and 4 steps, and at its end.
LOOKS = (2, 2, 1)  # in the first stage, where the second begins, and in it
pytestmark = pytest.mark.training
LAYERS = [
    {"kind": "conv", "filters": 4}, "batch_norm", {"kind": "max_pool"},
    {"kind": "conv", "filters": 6}, "batch_norm", {"kind": "conv", "filters": 6}, "global_average_pool",
]  # fmt: skip
NETWORK = {"name": "layers", "parameters": {"layers": LAYERS}}
FIRST, LAST = "layer1_conv", "layer6_conv"
BODY = [FIRST, "layer2_batch_norm", "layer4_conv", "layer5_batch_norm", LAST]


class Journal(NullRecorder):
    """Keeps events, and the losses of all attempts."""

    def __init__(self):
        self.events, self.losses = {}, {}

    def event(self, name, **fields):
        self.events[name] = fields

    def steps(self, epoch, first_step, measured, rates, elapsed_s):
        self.losses |= {first_step + index: float(loss) for index, loss in enumerate(measured["loss"])}


class PauseAt(Control):
    """Asks for a pause at the n-th look."""

    def __init__(self, look):
        super().__init__()
        self.left = look

    def is_pause_wanted(self):
        self.left -= 1
        return self.left == 0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("transfer") / "store")


@pytest.fixture(scope="module")
def shapes(store):
    return open_dataset(store.root, "shapes", parameters={"count": 240, "size": 16, "noise": 0.0})


@pytest.fixture(scope="module")
def source(store):
    """A run on grey digits whose network is kept."""
    values = {"data": {"image_size": 16}, "architecture": NETWORK, "training": {"epochs": 1}}
    run_dir = store.create_run(config_from_dict(values))
    trained = train(config_from_dict(values), open_dataset(store.root, "digits"))
    trained.network.save(run_dir / "model.keras")
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir.name


def asking(source, epochs=1, architecture=NETWORK, **transfer):
    return config_from_dict(
        {
            "data": {"dataset": "shapes", "image_size": 16, "parameters": {"count": 240, "size": 16, "noise": 0.0}},
            "architecture": architecture,
            "training": {"epochs": epochs, "batch_size": 32, "learning_rate": 0.01, "weight_decay": 0.1},
            "transfer": {"source": f"run:{source}", **transfer},
        }
    )


def weights(network, name):
    return network.get_layer(name).get_weights()


@pytest.fixture
def before(store, source):
    """The source's network, its first kernel for three channels."""
    network = keras.models.load_model(store.run_dir(source) / "model.keras", compile=False)

    def of(name):
        values = weights(network, name)
        return [recoloured(values[0], 3), *values[1:]] if name == FIRST else values

    return of


def moved(network, before):
    """The layers of the body whose weights or statistics are not those of the source any more."""
    return [
        name
        for name in BODY
        if any((new != old).any() for new, old in zip(weights(network, name), before(name), strict=True))
    ]


def test_fixed_features_stay_to_the_last_bit_and_their_statistics_too(store, source, shapes, before):
    config = asking(source, mode="features")
    run_dir = store.create_run(config)
    journal = Journal()
    trained = train(config, shapes, journal, Context(run_dir=run_dir))
    assert moved(trained.network, before) == []
    heads = sum(layer.count_params() for layer in trained.network.layers if layer.name.endswith("_logits"))
    assert trained.costs.trainable_params == heads
    assert journal.events["weights_taken"]["layers_new"] == 2
    report = json.loads((run_dir / "transfer.json").read_text())
    assert report["adapted"] == [FIRST]
    assert sorted(report["new"]) == ["colour_logits", "shape_logits"]
    assert report["share"] == 1.0
    assert len(report["source_sha256"]) == 64


def test_the_last_block_moves_and_what_is_before_it_stays(store, source, shapes, before):
    trained = train(
        asking(source, mode="last_blocks"), shapes, None, Context(run_dir=store.create_run(config_from_dict({})))
    )
    assert moved(trained.network, before) == [LAST]


def test_all_moves_and_earlier_blocks_move_less(store, source, shapes, before):
    config = asking(source, mode="all", body_rate=1.0, rate_decay=0.1)
    trained = train(config, shapes, None, Context(run_dir=store.create_run(config_from_dict({}))))
    assert moved(trained.network, before) == BODY
    first, last = (np.abs(weights(trained.network, name)[0] - before(name)[0]).max() for name in (FIRST, LAST))
    assert 0 < first < 0.1 * last  # two blocks earlier: a hundredth of the rate


def test_the_body_joins_after_the_head_epochs(store, source, shapes, before):
    context = Context(run_dir=store.create_run(config_from_dict({})))
    trained = train(asking(source, epochs=3, mode="stages", head_epochs=2), shapes, None, context)
    assert moved(trained.network, before) == BODY


def test_it_goes_on_with_the_same_weights_in_any_stage(store, source, shapes, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnlab.training.trainer.longest_chunk", lambda: 2)
    config = asking(source, epochs=2, mode="stages", head_epochs=1, rate_decay=0.5)
    whole, parts = Journal(), Journal()
    expected = train(config, shapes, whole, Context(run_dir=store.create_run(config)))
    run_dir = store.create_run(config)
    for look in LOOKS:
        with pytest.raises(PausedError):
            train(config, shapes, parts, Context(tmp_path, PauseAt(look), run_dir))
    resumed = train(config, shapes, parts, Context(tmp_path, Control(), run_dir))
    assert parts.losses == whole.losses
    for one, two in zip(expected.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_it_goes_on_without_its_source(store, source, shapes, tmp_path, monkeypatch):
    monkeypatch.setattr("cnnlab.training.trainer.longest_chunk", lambda: 2)
    config = asking(source, epochs=2, mode="stages", head_epochs=1)
    run_dir = store.create_run(config)
    with pytest.raises(PausedError):
        train(config, shapes, None, Context(tmp_path, PauseAt(4), run_dir))
    store.delete_run(source)
    try:
        assert train(config, shapes, None, Context(tmp_path, Control(), run_dir)).ended.epochs_done == 2
        with pytest.raises(ConfigError, match="was deleted"):
            train(config, shapes, None, Context(run_dir=store.create_run(config)))
    finally:
        store.restore_run(source)


def test_another_network_is_refused_in_words(store, source, shapes):
    other = {"name": "lenet5", "parameters": {}}
    with pytest.raises(ConfigError) as error:
        train(
            asking(source, mode="features", architecture=other),
            shapes,
            None,
            Context(run_dir=store.create_run(config_from_dict({}))),
        )
    assert str(error.value).startswith(f"The source run {source!r} has weights for 0 % of the parameters before the")


def test_a_grey_image_in_three_channels_is_answered_as_before():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 4)).astype("float32")
    grey = np.random.default_rng(1).normal(size=(1, 8, 8, 1)).astype("float32")
    convolve = keras.ops.conv
    expected = convolve(grey, kernel)
    np.testing.assert_allclose(convolve(np.repeat(grey, 3, -1), recoloured(kernel, 3)), expected, atol=1e-5)
    coloured = np.random.default_rng(2).normal(size=(3, 3, 3, 4)).astype("float32")
    np.testing.assert_allclose(
        convolve(grey, recoloured(coloured, 1)), convolve(np.repeat(grey, 3, -1), coloured), atol=1e-5
    )


def test_a_run_for_more_epochs_learns_on_without_the_source(store, source, shapes):
    config = asking(source, mode="features")
    first = store.create_run(config)
    trained = train(config, shapes, None, Context(first / "checkpoints", Control(), first))
    trained.network.save(first / "model.keras")
    (first / "config.yaml").write_text(config.to_yaml())
    write_status(first, RunStatus(state="completed"))
    longer = extended(store.runs_dir, first.name, 1)
    second = store.create_run(longer)
    store.delete_run(source)
    try:
        begin(second, longer)
        after = train(longer, shapes, None, Context(second / "checkpoints", Control(), second))
    finally:
        store.restore_run(source)
    assert after.ended.epochs_done == 2
    for name in BODY:
        for one, two in zip(weights(after.network, name), weights(trained.network, name), strict=True):
            np.testing.assert_array_equal(one, two)
