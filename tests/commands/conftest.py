"""Commands as a person calls them."""

import pytest

from cnnlab.__main__ import run


@pytest.fixture
def call(capsys):
    """Run one command; return exit code, standard output and standard error."""

    def _call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _call
