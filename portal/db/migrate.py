"""Bring a database to the newest schema; the migrations live beside this module."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from flask_migrate import Migrate, upgrade

from portal.db.base import db

FOLDER = str(Path(__file__).parent / "migrations")


def set_up_migrations(app: Flask) -> None:
    """Make `flask db …` know where the migrations are."""
    Migrate(app, db, directory=FOLDER, render_as_batch=True, compare_type=True)


def upgrade_database() -> None:
    """Run every migration that is still missing; idempotent. Needs an app context."""
    _make_private(db.engine.url)
    upgrade(directory=FOLDER)


def _make_private(url: sa.URL) -> None:
    """A new SQLite file is for this user alone; its -wal and -shm take after it."""
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        Path(str(url.database)).touch(mode=0o600)
