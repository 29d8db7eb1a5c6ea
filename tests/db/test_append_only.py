import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.db import db
from portal.db.triggers import APPEND_ONLY

CHANGES = ["UPDATE {} SET created_at = created_at", "DELETE FROM {}"]
REPLACE = "INSERT OR REPLACE INTO {} SELECT * FROM {}"


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", [*CHANGES, REPLACE])
def test_the_database_refuses_to_rewrite_what_was_written(build, table, change):
    build.posted("10")
    db.session.commit()
    if change == REPLACE and db.engine.dialect.name == "postgresql":
        change = "INSERT INTO {} SELECT * FROM {}"  # it knows no replacing

    with pytest.raises(DBAPIError, match=r"append-only|duplicate key"):
        db.session.execute(sa.text(change.format(table, table)))

    db.session.rollback()
