"""The command line: serve, worker, found, seed, doctor, verify, backup, restore."""

from portal.cli.commands import register

__all__ = ["register"]
