"""A page never waits for the inspector, and what went wrong is said once and asked again."""

import threading
import time
from pathlib import Path

import pytest

from cnnlab.errors import ConfigError
from dashboard import questions
from dashboard.questions import Questions


class FakeInspector:
    def __init__(self):
        self.asked = []
        self.may_answer = threading.Event()
        self.error = None

    def ask(self, kind, **arguments):
        self.asked.append((kind, arguments))
        assert self.may_answer.wait(20)
        if self.error:
            raise self.error
        return {"n": len(self.asked)}


@pytest.fixture
def inspector(monkeypatch):
    made = FakeInspector()
    monkeypatch.setattr(questions, "shared_inspector", lambda root: made)  # noqa: ARG005
    yield made
    made.may_answer.set()


def answered(asked: Questions, kind: str = "costs", **arguments):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = asked.ask(Path("store"), kind, arguments)
        if not answer.is_pending:
            return answer
    raise AssertionError("no answer came")


def test_the_same_question_is_put_once(inspector):
    asked = Questions()
    assert asked.ask(Path("store"), "costs", {"a": 1}).is_pending
    assert asked.ask(Path("store"), "costs", {"a": 1}).is_pending
    inspector.may_answer.set()
    assert answered(asked, a=1).value == {"n": 1}
    assert answered(asked, a=1).value == {"n": 1}
    assert answered(asked, a=2).value == {"n": 2}


def test_an_error_is_said_for_a_while_and_the_question_put_again(inspector, monkeypatch):
    asked = Questions()
    inspector.error = ConfigError("Too small. Take more.")
    inspector.may_answer.set()
    assert answered(asked).error == "Too small. Take more."
    inspector.error = None
    assert answered(asked).error == "Too small. Take more."
    monkeypatch.setattr(questions, "ERROR_KEPT_S", -1.0)
    assert answered(asked).value == {"n": 2}


def test_old_answers_are_forgotten(inspector, monkeypatch):
    monkeypatch.setattr(questions, "MOST_ANSWERS", 3)
    inspector.may_answer.set()
    asked = Questions()
    for number in range(8):
        answered(asked, number=number)
    assert len(asked._asked) <= 4
