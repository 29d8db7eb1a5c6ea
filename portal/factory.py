"""The application factory. Faces are handed in; the portal never imports them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from flask import Flask

from portal.audit import seal_at_commit
from portal.cli import register
from portal.db import db, set_up_engine
from portal.db.migrate import set_up_migrations
from portal.ledger import forget_periods_after_each_transaction
from portal.settings import ROOT, Settings, make_data_dir, read_settings
from portal.web import TransactionalFlask, refuse_unmarked_views
from portal.web import set_up as set_up_web
from portal.wiring import wire_house

Face = Callable[[Flask], None]


def create_app(
    faces: Iterable[Face] = (), *, settings: Settings | None = None, **overrides: object
) -> Flask:
    """Build the app from `settings` (the environment's by default).

    Lower-case overrides replace fields of the settings, upper-case ones Flask configuration.
    """
    settings = settings or read_settings()
    fields = {key: value for key, value in overrides.items() if key.islower()}
    settings = replace(settings, **fields)  # type: ignore[arg-type]  # checked by the dataclass
    make_data_dir(settings.data_dir)

    app = TransactionalFlask("portal", root_path=str(ROOT))
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        SETTINGS=settings,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
    )
    app.config.from_mapping({k: v for k, v in overrides.items() if k.isupper()})
    _set_up_data(app)
    set_up_web(app)
    wire_house(app)
    for face in faces:
        face(app)
    refuse_unmarked_views(app)
    register(app)
    return app


def _set_up_data(app: Flask) -> None:
    db.init_app(app)
    set_up_migrations(app)
    with app.app_context():
        set_up_engine(db.engine)
    seal_at_commit(db.session)
    forget_periods_after_each_transaction(db.session)
