"""CSV files as people have them: columns guessed, numbers of many countries, tables that are none."""

import contextlib
import math

import numpy as np
import polars as pl
import pytest
from exchange_making import STORES, found_in, values_of
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import ConfigError
from cnnlab.exchange.converting import ImportOptions, adopted
from cnnlab.exchange.csv_columns import guess
from cnnlab.exchange.csv_source import CsvSource
from cnnlab.exchange.csv_table import numbers
from cnnlab.exchange.found import ImportRunsError
from cnnlab.exchange.importing import look
from cnnlab.exchange.names import Target


@pytest.fixture
def write(tmp_path):
    def write_one(text, name="runs.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return path

    return write_one


def test_keras_log_is_read_with_every_digit(tmp_path):
    path = STORES / "keras-csvlogger.csv"
    header, *lines = path.read_text().splitlines()
    columns = dict(zip(header.split(","), zip(*(line.split(",") for line in lines), strict=True), strict=True))
    found = values_of(found_in(path, tmp_path)["keras-csvlogger"])
    assert found["val//loss"] == [(epoch, float(text)) for epoch, text in enumerate(columns["val_loss"], 1)]
    assert found["train//accuracy"] == [(epoch, float(text)) for epoch, text in enumerate(columns["accuracy"], 1)]


def test_wide_form_with_a_column_of_runs(write, tmp_path):
    path = write("run,epoch,lr,val_acc,optimizer\na,1,0.1,0.5,adam\na,2,0.1,0.75,adam\nb,1,0.2,0.25,sgd\n")
    runs = found_in(path, tmp_path)
    assert values_of(runs["a"])["val//accuracy"] == [(1, 0.5), (2, 0.75)]
    assert values_of(runs["b"])["train//learning_rate"] == [(1, 0.2)]
    assert runs["b"].config == {"training": {"optimizer": "sgd"}}


def test_long_form_with_split_and_output(write, tmp_path):
    path = write(
        "run_id,epoch,step,split,output,metric,value\nr,1,10,validation,label,acc,0.5\nr,1,10,train,,loss,nan\n"
        "r,2,20,validation,label,acc,\n"
    )
    run = found_in(path, tmp_path)["r"]
    assert values_of(run, "step")["val/label/accuracy"] == [(10, 0.5)]
    assert math.isnan(values_of(run)["train//loss"][0][1])


def test_runs_are_parted_by_settings_or_by_epochs_that_begin_anew(write, tmp_path):
    by_settings = write("model,seed,epoch,loss\nvgg,1,0,3\nvgg,1,1,2\nvgg,2,0,5\n", "a.csv")
    assert set(found_in(by_settings, tmp_path)) == {"seed 1", "seed 2"}
    appended = write("epoch,loss\n0,3\n1,2\n0,9\n", "b.csv")
    runs = found_in(appended, tmp_path)
    assert [values_of(run)["train//loss"] for run in runs.values()] == [[(1, 3.0), (2, 2.0)], [(1, 9.0)]]


def test_one_row_per_run_is_its_result(write, tmp_path):
    runs = found_in(write("model,seed,test_acc\nvgg,1,0.9\nlenet,1,0.8\n"), tmp_path)
    assert {name: run.result["test"][""]["accuracy"] for name, run in runs.items()} == {"vgg": 0.9, "lenet": 0.8}
    assert runs["vgg"].result["test"][""]["n"] is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_decimal_commas_semicolons_and_encodings(write, tmp_path, encoding):
    path = write("Epoche;Größe;val_acc\n1;ä;91,5 %\n2;ä;92,25 %\n", encoding=encoding)
    run = found_in(path, tmp_path, mapping={})["runs"]
    assert values_of(run, "step")["val//accuracy"] == [(1, 0.915), (2, 0.9225)]
    assert run.config["parameters"]["Größe"] == "ä"


def test_percent_is_found_by_its_size_and_can_be_said(write, tmp_path):
    path = write("epoch,val_acc,train_acc\n1,91.5,0.5\n2,92.5,0.75\n")
    run = found_in(path, tmp_path)["runs"]
    assert values_of(run)["val//accuracy"] == [(1, 0.915), (2, 0.925)]
    assert values_of(run)["train//accuracy"] == [(1, 0.5), (2, 0.75)]
    assert run.origin.notes == ("In percent, so divided by 100: val_acc.",)
    kept = found_in(path, tmp_path, mapping={"val_acc": Target("val", "accuracy", is_percent=False)})["runs"]
    assert values_of(kept)["val//accuracy"] == [(1, 91.5), (2, 92.5)]


def read_one(path, columns=None):
    source = CsvSource(path, columns)
    (key,) = source.run_keys()
    return source.read(key, lambda _share: None)


def numbers_of(run, name):
    (one,) = [one for one in run.series if one.name == name]
    return list(zip(one.epochs.tolist() if one.epochs is not None else one.steps.tolist(), one.values, strict=True))


def test_texts_among_numbers_are_left_out_and_named(write):
    run = read_one(write("epoch,loss\n1,0.5\n2,oops\n3,NaN\n4,\n"))
    assert repr(numbers_of(run, "loss")) == repr([(1, np.float64(0.5)), (3, np.float64("nan"))])
    assert run.troubles == ["loss: 1 text without a number left out"]


def test_a_bad_cell_parts_no_runs(write, tmp_path):
    path = write("epoch,step,loss,norm\n0,1,5,1.5\n0,2,4,1.25\n1,3,oops,oops\n1,4,2,0.5\n2,5,1,0.25\n")
    run = found_in(path, tmp_path)["runs"]
    assert values_of(run, "step")["train//loss"] == [(1, 5), (2, 4), (4, 2), (5, 1)]
    assert values_of(run, "step")["train//norm"] == [(1, 1.5), (2, 1.25), (4, 0.5), (5, 0.25)]
    assert run.config == {}
    assert run.origin.notes[-2:] == ("loss: 1 text without a number left out", "norm: 1 text without a number left out")


@pytest.mark.parametrize(
    ("name", "cells", "role"),
    [
        ("loss", "0.5 oops 0.4 0.3", "number"),
        ("val_accuracy", "diverged diverged diverged 0.5", "number"),
        ("gradient_norm", "0.5 oops 0.4 0.3", "number"),
        ("gradient_norm", "oops oops 0.4 0.3", "parameter"),
        ("optimizer", "sgd sgd adam adam", "parameter"),
        ("loss", "mse mse mae mae", "parameter"),
        ("max_depth", "auto auto 1 1 1 1 2 2 2 2", "parameter"),
        ("max_depth", "None None 1 1 2 2", "number"),
        ("weight_decay", "off 0.1 0.2 0.3 0.4", "parameter"),
        ("lr", "0.1 0.1 0.2 0.2", "number"),
        ("lr", "cosine cosine 0.2 0.2", "parameter"),
        ("anything", ". . .", "-"),
    ],
)
def test_what_a_mixed_column_is(name, cells, role):
    texts = [None if cell == "." else cell for cell in cells.split()]
    epochs = [str(number % 2) for number in range(len(texts))]
    frame = pl.DataFrame({"epoch": epochs, name: pl.Series(texts, dtype=pl.String)})
    assert guess(frame)[name] == role


def test_without_epochs_a_mixed_column_is_a_setting(write, tmp_path):
    runs = found_in(write("run,max_depth,test_acc\na,auto,0.5\nb,1,failed\nc,2,0.75\n"), tmp_path)
    assert [run.config["parameters"]["max_depth"] for run in runs.values()] == ["auto", 1, 2]
    assert [run.result and run.result["test"][""]["accuracy"] for run in runs.values()] == [0.5, None, 0.75]


@pytest.mark.parametrize("name", ["lr", "learning_rate", "config.lr", "opt_lr", "train/learning_rate"])
def test_a_learning_rate_in_one_row_per_run_is_a_setting(write, tmp_path, name):
    runs = found_in(write(f"run,{name},test_acc\na,0.1,0.5\nb,0.2,0.75\n"), tmp_path)
    assert set(values_of(runs["a"])) == {"test//accuracy"}
    config = runs["b"].config
    assert (config.get("training") or {"learning_rate": config["parameters"].get(name)})["learning_rate"] == 0.2


# === Logs that were appended to ===


def test_a_header_that_comes_again_is_no_row(write, tmp_path):
    header = "epoch,loss,val_accuracy\n"
    path = write(f"{header}0,3,0.1\n1,2,0.2\n2,1,0.3\n{header}3,0.5,0.4\n4,0.25,0.5\n")
    source = CsvSource(path)
    assert source.notes == ["'runs.csv': 1 row left out that repeats the header."]
    run = found_in(path, tmp_path)["runs"]
    assert values_of(run)["train//loss"] == [(1, 3), (2, 2), (3, 1), (4, 0.5), (5, 0.25)]
    again = found_in(write(f"{header}0,3,0.1\n1,2,0.2\n{header}0,9,0.1\n{header}1,8,0.2\n"), tmp_path)
    assert [values_of(run)["train//loss"] for run in again.values()] == [[(1, 3), (2, 2)], [(1, 9), (2, 8)]]


def test_of_an_epoch_that_comes_again_the_last_counts(write):
    run = read_one(write("epoch,loss,val_loss\n1,3,3\n2,2,\n2,1.5,2\n3,1,1\n"))
    assert numbers_of(run, "loss") == [(1, 3), (2, 1.5), (3, 1)]
    assert numbers_of(run, "val_loss") == [(1, 3), (2, 2), (3, 1)]
    assert run.troubles == ["1 number measured again at the same epoch left out: the last counts"]


def test_rows_without_an_epoch_are_left_out_and_counted(write):
    run = read_one(write("epoch,loss\n0,3\n,2.5\n2,2\n-1,1\n2.5,1\nx,1\n3,0.5\n"))
    assert numbers_of(run, "loss") == [(1, 3), (3, 2), (4, 0.5)]
    assert run.troubles == ["1 row without an epoch left out", "3 rows left out: '-1' is no epoch"]


def test_where_steps_or_sparse_rows_tell_an_epoch_is_that_of_the_row_before(write):
    by_step = read_one(write("epoch,step,lr,train_loss\n,0,0.1,\n0,9,,3\n,10,0.05,\n1,19,,2\n,,,1\n"))
    assert numbers_of(by_step, "lr") == [(1, 0.1), (1, 0.05)]
    assert numbers_of(by_step, "train_loss") == [(1, 3), (2, 2)]
    assert by_step.troubles == ["1 row without an epoch left out"]
    sparse = read_one(write("epoch,train_loss,val_loss\n0,3,\n,,2.5\n1,2,\n,,1.5\n,,1\n"))
    assert numbers_of(sparse, "val_loss") == [(1, 2.5), (2, 1.5)]
    assert sparse.troubles == ["1 row without an epoch left out"]


def test_a_row_without_a_step_never_takes_the_place_of_another(write):
    run = read_one(write("step,loss\n10,4\n2.5,3\n30,2\n,1\n"))
    assert numbers_of(run, "loss") == [(10, 4), (30, 2)]
    assert run.troubles == ["1 row without a step left out", "1 row left out: '2.5' is no step"]


def test_where_no_row_says_its_epoch_the_way_out_is_said(write):
    path = write("epoch,loss\n1/2,3\n2/2,2\n")
    with pytest.raises(
        ImportRunsError, match=r"^No row says its epoch in the column 'epoch': '1/2' is none\. .*=-'\.$"
    ):
        read_one(path)
    assert numbers_of(read_one(path, {"epoch": "-"}), "loss") == [(1, 3), (2, 2)]


def test_epochs_in_fractions_are_those_under_way(write):
    run = read_one(write("epoch,step,loss\n0.5,50,4\n1.0,100,3\n1.5,150,2\n2.0,200,1\n"))
    assert numbers_of(run, "loss") == [(1, 4), (1, 3), (2, 2), (2, 1)]
    assert run.troubles == ["epochs are fractions, so each is that of the epoch that was under way"]


def test_bad_epochs_begin_no_run(write, tmp_path):
    assert set(found_in(write("epoch,loss\n0,3\n1,2\n-1,9\n\n2,1\n", "a.csv"), tmp_path)) == {"a"}
    runs = found_in(write("epoch,loss\n0,3\n1,2\n,9\n0,1\n", "b.csv"), tmp_path)
    assert [values_of(run)["train//loss"] for run in runs.values()] == [[(1, 3), (2, 2)], [(1, 1)]]


# === How numbers are written ===


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1.234,5", "0,9"], [1234.5, 0.9]),
        (["1.234,5", "1.234", "12"], [1234.5, 1234, 12]),
        (["1.234.567,5", "1,5e-3"], [1234567.5, 0.0015]),
        (["1,234.5", "0.9", "1,234"], [1234.5, 0.9, 1234]),
        (["0,9", "1.234", "0,8"], [0.9, None, 0.8]),
        (["0,9", "1.234", "2.345"], [None, 1.234, 2.345]),
        (["0,9", "0.8"], [None, 0.8]),
        (["1.234,5", "0.9"], [1234.5, 0.9]),
        (["1,234", "2,5 %"], [1.234, 0.025]),
        (["1.234", "1e-05"], [1.234, 1e-05]),
        (["a,b", "1.5", "1,2,3"], [None, 1.5, None]),
    ],
)
def test_commas_and_points_are_read_where_they_mean_one_number(texts, expected):
    values, wrong = numbers(pl.Series(texts))
    assert [None if math.isnan(value) else value for value in values] == expected
    assert wrong == expected.count(None)


def test_thousands_in_a_file_with_semicolons(write):
    run = read_one(write("epoch;loss\n1;1.234,5\n2;0,9\n"))
    assert numbers_of(run, "loss") == [(1, 1234.5), (2, 0.9)]
    assert not run.troubles


def test_times_of_a_clock(write, tmp_path):
    run = found_in(write("time,epoch,loss\n2026-03-01T10:00:00,1,3\n2026-03-01T10:01:30,2,2\n"), tmp_path)["runs"]
    assert run.metrics["elapsed_s"].tolist() == [0, 90]
    assert run.started_at == "2026-03-01T10:00:00.000000+00:00"
    in_ms = found_in(write("timestamp,epoch,loss\n1700000000000,1,3\n1700000002500,2,2\n"), tmp_path)["runs"]
    assert in_ms.metrics["elapsed_s"].tolist() == [0, 2.5]


def test_files_of_tensorboard_say_run_and_tag_by_their_names(write, tmp_path):
    for tag, value in (("val_loss", 0.5), ("acc", 0.25)):
        write(f"Wall time,Step,Value\n1700000000.5,0,{value}\n1700000001.5,1,0.125\n", f"logs/run-cnn-tag-{tag}.csv")
    run = found_in(tmp_path / "logs", tmp_path)["cnn"]
    assert values_of(run) == {"val//loss": [(1, 0.5), (2, 0.125)], "train//accuracy": [(1, 0.25), (2, 0.125)]}


def test_a_folder_has_a_run_per_file_and_names_what_it_cannot_read(write, tmp_path):
    write("epoch,loss\n1,2\n", "logs/a.csv")
    write("epoch,step,train_loss,val_loss\n0,9,1.5,\n0,9,,1.25\n", "logs/version_0/metrics.csv")
    write("", "logs/empty.csv")
    source = CsvSource(tmp_path / "logs")
    assert source.run_keys() == ["a", "version_0"]
    assert source.notes[0].startswith("'empty.csv' cannot be read as a table: it is empty.")
    found = look(tmp_path / "logs", tmp_path)
    assert {one.name for one in found.names} == {"loss", "train_loss", "val_loss"}


def test_columns_can_be_said(write):
    path = write("a,b,c\n1,x,0.5\n2,x,0.25\n")
    run = CsvSource(path, {"a": "epoch", "b": "run", "c": "number"}).read("x", lambda _share: None)
    assert run.series[0].epochs.tolist() == [1, 2]
    with pytest.raises(ConfigError, match=r"No column 'd' in this file"):
        CsvSource(path, {"d": "run"})
    with pytest.raises(ConfigError, match=r"'runn' is no role of a column. Did you mean 'run'"):
        CsvSource(path, {"b": "runn"})
    with pytest.raises(ConfigError, match=r"'a', 'c' are all to be 'epoch'"):
        CsvSource(path, {"a": "epoch", "c": "epoch"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"PK\x00\x01binary", "it holds no text"),
        (b'a,b\n3,4\n"1,2\n3,4\n', "the quotes that begin in line 3 are not closed"),
        (b"1,2,3\n4,5,6\n", "its first line holds no names of columns"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path, content, reason):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(
        ImportRunsError, match=r"^'x.csv' cannot be read as a table: .*as UTF-8 with commas\.$"
    ) as caught:
        CsvSource(path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n1,2,3,4\n", "line 3 has 4 fields, the first 2"),
        ('a;b\n"x\ny";2\n1;2;3\n', "line 4 has 3 fields, the first 2"),
    ],
)
def test_a_line_with_too_many_fields_is_named(write, content, said):
    with pytest.raises(ImportRunsError, match=rf"^'x.csv' cannot be read as a table: {said}\. .*into quotes\.$"):
        CsvSource(write(content, "x.csv"))


CELLS = st.sampled_from(
    [
        "epoch",
        "step",
        "run",
        "loss",
        "lr",
        "1",
        "2",
        "2.5",
        "-1",
        "nan",
        "x",
        "",
        "91,5",
        "1.234",
        "1.234,5",
        "50 %",
        "-",
        "2026-01-01",
        '"',
        "\r",
    ]
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4).map(",".join), max_size=6).map("\n".join)


@given(st.one_of(st.binary(max_size=60), ROWS.map(str.encode)))
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        source = CsvSource(path)
    except ImportRunsError:
        return
    for key in source.run_keys():
        with contextlib.suppress(ImportRunsError):
            run = source.read(key, lambda _share: None)
            adopted(run, "csv", "any.csv", ImportOptions())
