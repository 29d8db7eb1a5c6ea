import pytest
import sqlalchemy as sa

from portal.db import db, postgresql


@pytest.fixture
def cut_off(app):
    """The process of the one connection in the pool, which somebody ended."""
    if db.engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL is reached over connections that can break")
    db.session.remove()
    db.engine.dispose()
    admin = sa.create_engine(db.engine.url, poolclass=sa.NullPool)
    with db.engine.connect() as one:
        pid = one.scalar(sa.func.pg_backend_pid())
    with admin.connect() as other:
        other.execute(sa.select(sa.func.pg_terminate_backend(pid, 5_000)))
    return pid


def test_a_connection_that_rested_is_made_anew_when_its_server_is_gone(cut_off, monkeypatch):
    monkeypatch.setattr(postgresql, "RESTING", 0)

    assert db.session.scalar(sa.func.pg_backend_pid()) != cut_off
    db.session.rollback()


def test_a_connection_that_came_back_a_moment_ago_is_used_as_it_is(app):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL is reached over connections that can break")
    db.session.rollback()
    first = db.session.scalar(sa.func.pg_backend_pid())
    db.session.rollback()

    assert db.session.scalar(sa.func.pg_backend_pid()) == first
    db.session.rollback()
