"""The worker that posts a batch: each life begins when the last one's lease is over."""

from __future__ import annotations

import sys
from datetime import timedelta

import sqlalchemy as sa

from portal.batches import look_at_batch, posting
from portal.db import db
from portal.kernel import clock
from portal.models import Batch
from portal.settings import read_settings
from tests.crash.dying import serve_deaths

CHUNK = 5


def post() -> None:
    posting.CHUNK = CHUNK
    batch = db.session.scalars(sa.select(Batch)).one()
    begins = (batch.claimed_until or batch.created_at) + timedelta(seconds=1)
    batch_id = batch.id
    db.session.rollback()
    with clock.frozen(begins):
        look_at_batch(batch_id)


def main(data_dir: str, database_url: str) -> None:
    from wsgi import make_app

    settings = {"DATA_DIR": data_dir, "DATABASE_URL": database_url, "SECRET_KEY": "crash"}
    serve_deaths(make_app(settings=read_settings(settings), TESTING=True), post)


if __name__ == "__main__":
    main(*sys.argv[1:])
