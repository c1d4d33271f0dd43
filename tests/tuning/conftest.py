"""Oracles take Keras with its NumPy backend where they come first: tests of trainings beside them need another."""

import keras  # noqa: F401
