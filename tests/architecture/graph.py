"""What imports what, read from the sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources(root: Path = ROOT) -> Iterator[Path]:
    for folder in ("portal", "staff", "customer"):
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    yield root / "wsgi.py"


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Module → modules of ours it imports at run time."""
    known = {dotted(path, root) for path in sources(root)}
    return {
        dotted(path, root): {
            target for target in imports(path) if target in known and target != dotted(path, root)
        }
        for path in sources(root)
    }


def imports(path: Path) -> Iterator[str]:
    for node in runtime_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node except those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        yield node
        yield from runtime_nodes(node)


def top_level_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def dotted(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def home(module: str) -> str:
    """The room a module lives in: portal.invoices, staff, …"""
    first, *rest = module.split(".")
    return f"{first}.{rest[0]}" if first == "portal" and rest else first
