"""What the README says is what is there."""

import re
import shlex
from pathlib import Path

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.table import README, markdown, with_table
from cnnlab.commands.options import OPTIONS
from dashboard.state import PAGES


def test_the_table_of_architectures_is_todays():
    readme = README.read_text(encoding="utf-8")
    assert with_table(readme) == readme, "write it anew with 'python -m cnnlab.architectures.table'"
    assert all(f"`{name}`" in markdown() for name in ARCHITECTURES)


def test_every_page_is_named():
    readme = README.read_text(encoding="utf-8")
    for page in PAGES.values():
        assert page.title in readme, page.title


def test_the_commands_have_options_that_exist():
    flags = {option.flag for option in OPTIONS} | {"--json", "--config", "--name", "--store", "--address", "--port"}
    text = README.read_text(encoding="utf-8").replace("\\\n", " ")  # a command may go on in the next line
    commands = re.findall(r"^ +python -m cnnlab (?:train|submit) (.*)$", text, re.MULTILINE)
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert {word for word in words if word.startswith("--")} <= flags, command


def test_the_files_it_points_to_exist():
    for path in re.findall(
        r"experiments/recipes/[\w-]+\.yaml|benchmarks/README\.md", README.read_text(encoding="utf-8")
    ):
        assert (Path(README).parent / path).exists(), path
