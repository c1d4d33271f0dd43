"""Answers kept on disk: found again, bounded, and never an obstacle."""

import os

from cnnlab.inspector.answers import Answers


def test_the_same_question_finds_its_answer_whatever_the_order_of_arguments(tmp_path):
    answers = Answers(tmp_path / "answers")
    assert answers.read("costs", {"a": 1, "b": 2}) is None
    answers.write("costs", {"a": 1, "b": 2}, {"macs": 3})
    assert answers.read("costs", {"b": 2, "a": 1}) == {"macs": 3}
    assert answers.read("costs", {"a": 1, "b": 3}) is None
    assert answers.read("preview", {"a": 1, "b": 2}) is None


def test_only_so_many_are_kept_and_the_least_recently_used_go(tmp_path):
    answers = Answers(tmp_path, most_files=3)
    for number in range(3):
        answers.write("costs", {"n": number}, number)
        os.utime(answers._path("costs", {"n": number}), (number, number))
    assert answers.read("costs", {"n": 0}) == 0  # used now: n = 1 is the oldest
    answers.write("costs", {"n": 3}, 3)
    assert [answers.read("costs", {"n": number}) for number in range(4)] == [0, None, 2, 3]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_torn_file_is_no_answer(tmp_path):
    answers = Answers(tmp_path)
    answers.write("costs", {}, 1)
    answers._path("costs", {}).write_text('{"val')
    assert answers.read("costs", {}) is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    answers = Answers(blocked / "answers")
    answers.write("costs", {}, 1)
    assert answers.read("costs", {}) is None
