"""Folders that are made once for all tests that read them."""

from tests.given.calibrated import calibrated

__all__ = ["calibrated"]
