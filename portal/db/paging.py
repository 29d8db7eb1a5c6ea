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
    ids_first: bool = False,
) -> Page[T]:
    """Run `query` for one page: one count, one select, whatever the length of the list.

    `sorts` maps sort keys to columns; unknown keys fall back to `default`. The id breaks ties,
    so no row is shown twice. A page beyond the end shows the last one. A caller that knows the
    `total` already spares the count. With `ids_first` the page is found in an index and only
    its rows are read, at the price of one statement more: for lists one leafs through deeply.
    """
    if total is None:
        counted = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
        total = db.session.scalar(counted) or 0
    number = min(max(page.number, 1), max((total + page.size - 1) // page.size, 1))
    key = page.sort if page.sort.removeprefix("-") in sorts else default
    column = sorts[key.removeprefix("-")]
    order = column.desc() if key.startswith("-") else column.asc()
    entity = query.column_descriptions[0]["entity"]
    tie = entity.id.desc() if key.startswith("-") else entity.id.asc()
    cut = query.order_by(order, tie).limit(page.size).offset((number - 1) * page.size)
    if ids_first:
        ids = db.session.scalars(cut.with_only_columns(entity.id)).all()
        cut = query.where(entity.id.in_(ids)).order_by(order, tie)
    rows = db.session.scalars(cut)
    return Page(list(rows.unique()), total, number, page.size)
