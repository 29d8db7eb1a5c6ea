"""Lists whose page, order and filters live in the address."""

from __future__ import annotations

import dataclasses
import types
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from flask import request, url_for
from werkzeug.routing import IntegerConverter, Map

from portal.db import PageRequest

F = TypeVar("F")

LARGEST_ID = 2**31 - 1  # what an id column holds; larger numbers are nobody's


class IdConverter(IntegerConverter):
    """`<int:…>` in an address: a number no database could hold is simply not found."""

    def __init__(self, map: Map, **kwargs: Any) -> None:  # noqa: A002  (werkzeug's name)
        super().__init__(map, **{"max": LARGEST_ID, **kwargs})


def page_request(*, size: int = 50, name: str = "page") -> PageRequest:
    """The page the address asks for; nonsense falls back to the first.

    A second list on the same screen goes by another `name` that ends in "page".
    """
    args = request.args
    return PageRequest(
        number=min(max(args.get(name, 1, type=int), 1), 1_000_000),
        size=min(max(args.get("size", size, type=int), 10), 200),
        sort=args.get("sort", ""),
    )


def filters(shape: type[F]) -> F:
    """Read a filter dataclass from the address; values that do not fit are ignored."""
    hints = get_type_hints(shape)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(shape):  # type: ignore[arg-type]
        typed = request.args.get(field.name, "").strip()
        if typed:
            value = _parse(hints[field.name], typed)
            if value is not None:
                values[field.name] = value
    return shape(**values)


def asked_for() -> dict[str, Any]:
    """The address's parameters, safe to hand on to `url_for`: none of its own names."""
    return {
        name: value
        for name, value in request.args.to_dict().items()
        if name != "endpoint" and not name.startswith("_")
    }


def url_with(**changes: Any) -> str:
    """The current address with some parameters changed; None removes one."""
    args: dict[str, Any] = {**asked_for(), **(request.view_args or {})}
    if not any(name.endswith("page") for name in changes):
        args = {name: value for name, value in args.items() if not name.endswith("page")}
    args.update(changes)
    kept = {key: value for key, value in args.items() if value not in (None, "")}
    return url_for(str(request.endpoint), **kept)


def _parse(hint: Any, typed: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    try:
        if hint is bool:
            return {"yes": True, "no": False}.get(typed)
        if hint is date:
            return date.fromisoformat(typed)
        if hint is int:
            return number if abs(number := int(typed)) <= LARGEST_ID else None
        if hint is str:
            return typed.replace("\0", "")
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return hint(typed)
    except ValueError:
        return None
    return None
