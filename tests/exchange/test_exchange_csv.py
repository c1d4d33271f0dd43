"""CSV files as people have them: columns guessed, numbers of many countries, tables that are none."""

import contextlib
import math

import pytest
from exchange_making import STORES, found_in, values_of
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.errors import ConfigError
from cnnlab.exchange.converting import ImportOptions, adopted
from cnnlab.exchange.csv_source import CsvSource
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


def test_texts_among_numbers_are_left_out_and_named(write, tmp_path):
    run = found_in(write("epoch,loss\n1,0.5\n2,oops\n3,NaN\n4,\n"), tmp_path, mapping={})["runs"]
    # A column with a text in it is a setting, until somebody says that it is a number.
    assert "loss" in run.config["parameters"]
    source = CsvSource(write("epoch,loss\n1,0.5\n2,oops\n3,NaN\n4,\n"), {"loss": "number"})
    series = source.read("runs", lambda _share: None)
    assert series.series[0].values[0] == 0.5
    assert math.isnan(series.series[0].values[1])
    assert series.series[0].epochs.tolist() == [1, 3]
    assert series.troubles == ["loss: 1 text without a number left out"]


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
        (b"1,2,3\n4,5,6\n", "its first line holds no names of columns"),
        (b"a,b\n1,2\n1,2,3,4\n", "found more fields"),
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


CELLS = st.sampled_from(
    ["epoch", "run", "loss", "lr", "1", "2", "nan", "x", "", "91,5", "50 %", "-", "2026-01-01", '"', "\r"]
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
        run = source.read(key, lambda _share: None)
        with contextlib.suppress(ImportRunsError):
            adopted(run, "csv", "any.csv", ImportOptions())
