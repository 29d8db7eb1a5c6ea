"""Pages of a long list, cut in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from portal.db.base import db

T = TypeVar("T")


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list is wanted; `sort` is a key of the list, "-" in front for descending."""

    number: int = 1
    size: int = 50
    sort: str = ""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page and how many there are in all."""

    rows: Sequence[T]
    total: int
    number: int
    size: int

    @property
    def last(self) -> int:
        return max((self.total + self.size - 1) // self.size, 1)

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.size + 1 if self.total else 0

    @property
    def last_row(self) -> int:
        return min(self.number * self.size, self.total)


def paginate(
    query: sa.Select[T],
    page: PageRequest,
    *,
    sorts: Mapping[str, Any],
    default: str,
    total: int | None = None,
    rows: sa.Select[T] | None = None,
) -> Page[T]:
    """Run `query` for one page: one count, one select, whatever the length of the list.

    `sorts` maps sort keys to columns; unknown keys fall back to `default`. The id breaks ties,
    so no row is shown twice. A page beyond the end shows the last one. A caller that knows the
    `total` already spares the count. With `rows`, `query` only finds the ids of the page, in an
    index where it can, and `rows` reads those: one statement more, and no wide row is sorted.
    """
    entity = query.column_descriptions[0]["entity"]
    if total is None:
        total = db.session.scalar(query.with_only_columns(sa.func.count(entity.id))) or 0
    number = min(max(page.number, 1), max((total + page.size - 1) // page.size, 1))
    key = page.sort if page.sort.removeprefix("-") in sorts else default
    column = sorts[key.removeprefix("-")]
    order = column.desc() if key.startswith("-") else column.asc()
    tie = entity.id.desc() if key.startswith("-") else entity.id.asc()
    cut = query.order_by(order, tie).limit(page.size).offset((number - 1) * page.size)
    if rows is not None:
        ids = db.session.scalars(cut.with_only_columns(entity.id)).all()
        cut = rows.where(entity.id.in_(ids)).order_by(order, tie)
    found = db.session.scalars(cut)
    return Page(list(found.unique()), total, number, page.size)
