"""The rules of the house as functions that list what breaks them, so they can be tested too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.architecture.graph import dotted, graph, home, runtime_nodes, sources, top_level_imports

LAYERS = [  # lowest first: a room may import rooms of lower rows only
    ["portal"],
    ["portal.kernel"],
    ["portal.settings"],
    ["portal.db"],
    ["portal.models"],
    ["portal.audit", "portal.files"],
    ["portal.access", "portal.tasks"],
    ["portal.company"],
    ["portal.documents", "portal.ledger", "portal.outbox", "portal.pricebook", "portal.taxes"],
    ["portal.customers", "portal.terms", "portal.web"],
    ["portal.invoices", "portal.jobs"],
    ["portal.payments"],
    [
        "portal.batches",
        "portal.late_fees",
        "portal.payment_collection",
        "portal.receivables",
        "portal.risk",
        "portal.sendings",
    ],
    ["portal.payment_plans", "portal.statements"],
    ["portal.dunning"],
    ["portal.imports", "portal.reports"],
    ["portal.schedule", "portal.seed"],
    ["portal.cli", "portal.wiring"],
    ["portal.factory"],
    ["staff", "customer"],
    ["wsgi"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

DOORS = {  # outside library → the module or package that may import it (one to read, one to write)
    "stripe": "portal.payment_collection.gateways.stripe",
    "weasyprint": "portal.documents.rendering",
    "htmx_flask": "portal.web.htmx",
    "smtplib": "portal.outbox.smtp",
    "pygal": "portal.reports.charts",
    "huey": "portal.tasks.queue",
    "argon2": "portal.access.passwords",
    "pyotp": "portal.access.second_factor",
    "facturx": "portal.documents.facturx",
    "segno": "portal.documents.letterhead",
    "openpyxl": "portal.imports.workbooks portal.documents.workbooks",
    "pypdf": "portal.documents.merging",
    "numpy": "portal.risk",
}


def upward_imports(root: Path) -> list[str]:
    return [
        f"{module} imports {target}"
        for module, targets in graph(root).items()
        for target in sorted(targets)
        if home(module) != home(target) and RANK[home(target)] >= RANK[home(module)]
    ]


def cycles(root: Path) -> list[str]:
    """Cycles between modules; a package's own __init__ is its shop window, not a step."""
    edges = {
        module: {t for t in targets if not module.startswith(f"{t}.")}
        for module, targets in graph(root).items()
    }
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        return [" → ".join(error.args[1])]
    return []


def is_door(module: str, doors: list[str]) -> bool:
    """A door is a module, or a package whose own modules share it."""
    return any(module == door or module.startswith(f"{door}.") for door in doors)


def second_doors(root: Path) -> list[str]:
    return [
        f"{dotted(path, root)} imports {library}"
        for path in sources(root)
        for library in sorted(top_level_imports(path) & DOORS.keys())
        if not is_door(dotted(path, root), DOORS[library].split())
    ]


def faces_with_database(root: Path) -> list[str]:
    return [
        f"{dotted(path, root)} imports {name}"
        for path in sources(root)
        if home(dotted(path, root)) in ("staff", "customer")
        for name in sorted(_dotted_imports(path))
        if name.split(".")[0] == "sqlalchemy"
        or name == "portal.db"
        or name.startswith("portal.db.")
    ]


def clock_readers(root: Path) -> list[str]:
    return [
        f"{dotted(path, root)}:{node.lineno}"
        for path in sources(root)
        if dotted(path, root) not in ("portal.kernel.clock",)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"utcnow", "today", "now"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]


def environment_readers(root: Path) -> list[str]:
    return [
        f"{dotted(path, root)}:{node.lineno}"
        for path in sources(root)
        if dotted(path, root) != "portal.settings"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]


def impure_kernel(root: Path) -> list[str]:
    outside = {"flask", "sqlalchemy", "babel", "flask_babel"}
    return [
        f"{dotted(path, root)} imports {name}"
        for path in sources(root)
        if home(dotted(path, root)) == "portal.kernel"
        for name in sorted(top_level_imports(path) & outside)
    ]


def _dotted_imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in runtime_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
