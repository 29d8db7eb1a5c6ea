"""Column types: exact numbers, aware instants and enums that store their value."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from portal.kernel.money import Money
from portal.kernel.numbers import FixedPoint, Quantity, Rate, UnitPrice

F = TypeVar("F", bound=FixedPoint)


class Cents(sa.types.TypeDecorator[Money]):
    """Money as a whole number of cents: SUM() is exact on SQLite and PostgreSQL alike."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:
        return None if value is None else value.cents

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:
        return None if value is None else Money(int(value))


class _Scaled(sa.types.TypeDecorator[F], Generic[F]):
    impl = sa.BigInteger
    cache_ok = True
    shape: type[F]

    def process_bind_param(self, value: F | None, dialect: Dialect) -> int | None:
        return None if value is None else value.scaled

    def process_result_value(self, value: int | None, dialect: Dialect) -> F | None:
        return None if value is None else self.shape(int(value))


class QuantityColumn(_Scaled[Quantity]):
    """A quantity in ten-thousandths."""

    cache_ok = True
    shape = Quantity


class UnitPriceColumn(_Scaled[UnitPrice]):
    """A price of one unit in hundredths of a cent."""

    cache_ok = True
    shape = UnitPrice


class RateColumn(_Scaled[Rate]):
    """A fraction in millionths."""

    cache_ok = True
    shape = Rate


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Stored as naive UTC, seen in Python as aware UTC. Naive values are refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def named_enum(enum: type[StrEnum]) -> sa.Enum:
    """Persist the value, not the member name, with a CHECK instead of a native type."""
    return sa.Enum(
        enum,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        length=32,
        name=enum.__name__.lower(),
    )


NO_MONEY: sa.ColumnElement[Money] = sa.literal(Money(0), Cents())


def as_money(expression: sa.SQLColumnExpression[Any]) -> sa.ColumnElement[Money]:
    """Say that a computed column is money: arithmetic in SQL forgets it."""
    return sa.type_coerce(expression, Cents())


def total_of(column: sa.SQLColumnExpression[Money]) -> sa.ColumnElement[Money]:
    """SUM of a money column, zero instead of NULL when there are no rows."""
    return sa.func.coalesce(sa.func.sum(column), NO_MONEY)
