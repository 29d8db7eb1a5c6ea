"""Builders: the shortest way to a believable world."""

from tests.builders.build import Build

__all__ = ["Build"]
