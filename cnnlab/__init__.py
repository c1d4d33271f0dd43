"""CNN Lab: learn, train, tune and compare convolutional networks for image classification."""

__version__ = "0.1.0"
