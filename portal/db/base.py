"""The declarative base with the house's constraint names and column types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from portal.db.types import (
    Cents,
    QuantityColumn,
    RateColumn,
    UnitPriceColumn,
    UtcDateTime,
)
from portal.kernel import clock
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """Every table has an id and remembers when its row was made."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        Money: Cents,
        Quantity: QuantityColumn,
        Rate: RateColumn,
        UnitPrice: UnitPriceColumn,
        datetime: UtcDateTime,
    }

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=100)


class Versioned:
    """Rows people edit: a save based on an older version is refused, not merged silently."""

    version: Mapped[int] = mapped_column(default=1, sort_order=101)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  (SQLAlchemy passes the class)
        return {"version_id_col": cls.version}


class OneDatabase(Session):
    """A session that asks for its engine once, not at each statement: there is only one."""

    _engine: sa.Engine | None = None

    def get_bind(self, *_args: Any, bind: Any = None, **_words: Any) -> Any:
        if bind is not None:
            return bind
        if self._engine is None:
            self._engine = self._db.engine
        return self._engine


# Models inherit Base; db.Model is not used.
db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": OneDatabase})
