"""Refusals and a full disk are sentences at the prompt, not stack traces."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from portal.db import db
from portal.kernel.errors import DomainError

NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")  # the latter when the -shm cannot be made


class PlainCommand(click.Command):
    """A command that says in words why it did not do its work; exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        except (OSError, OperationalError) as error:
            if not is_full(error):
                raise
            db.session.rollback()
            raise click.ClickException(
                "The disk is full. What was being written was not saved; make room and try again."
            ) from error


def is_full(error: BaseException) -> bool:
    """Whether this is a disk without room."""
    if isinstance(error, OperationalError):
        error = error.orig or error
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "") in NO_ROOM
    return "No space left" in str(error)
