"""What tests of tuning share."""

import os

import pytest


@pytest.fixture(autouse=True)
def without_fsync(monkeypatch):
    """Wait for no disk in this process: what a test kills is a process, never the machine."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)
