"""Finding text that people type: any case, any alphabet, and no secret wildcards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Folded(FunctionElement[str]):
    """Lower case in every alphabet; SQLite's own lower() knows ASCII alone."""

    inherit_cache = True
    type = sa.String()


@compiles(_Folded)
def _with_lower(element: _Folded, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kw)})"


@compiles(_Folded, "sqlite")
def _with_fold(element: _Folded, compiler: SQLCompiler, **kw: Any) -> str:
    return f"fold({compiler.process(element.clauses, **kw)})"


def fold(value: str | None) -> str | None:
    """What SQLite calls for each row; `portal.db.engine` registers it."""
    return None if value is None else str(value).lower()


def holds(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Whether the column contains the text, whatever the case; % and _ are only letters."""
    return _Folded(column).contains(_typed(text), autoescape=True)


def begins(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Whether the column begins with the text, whatever the case."""
    return _Folded(column).startswith(_typed(text), autoescape=True)


def holds_code(column: Any, text: str) -> sa.ColumnElement[bool]:
    """`holds` for numbers and codes: plain ASCII, so long tables stay quick on SQLite."""
    return sa.func.lower(column).contains(_typed(text), autoescape=True)


def _typed(text: str) -> str:
    return text.replace("\0", "").strip().lower()
