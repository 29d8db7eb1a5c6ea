"""Lists whose page, order and filters live in the address."""

from __future__ import annotations

import dataclasses
import types
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from flask import request, url_for

from portal.db import PageRequest

F = TypeVar("F")


def page_request(*, size: int = 50) -> PageRequest:
    """The page the address asks for; nonsense falls back to the first."""
    args = request.args
    return PageRequest(
        number=args.get("page", 1, type=int),
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


def url_with(**changes: Any) -> str:
    """The current address with some parameters changed; None removes one."""
    args: dict[str, Any] = {**request.args.to_dict(), **(request.view_args or {})}
    args.update(changes)
    if "page" not in changes:
        args.pop("page", None)
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
        if isinstance(hint, type) and issubclass(hint, StrEnum | int | str):
            return hint(typed)
    except ValueError:
        return None
    return None
