"""Placeholder until the augmentation language lands."""
