"""Imports point down, doors stay single; and each rule is proven by breaking it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.graph import ROOT

RULES = [
    rules.upward_imports,
    rules.cycles,
    rules.second_doors,
    rules.faces_with_database,
    rules.clock_readers,
    rules.environment_readers,
    rules.impure_kernel,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule):
    broken = rule(ROOT)
    assert not broken, "\n".join(broken)


VIOLATIONS = [
    (rules.upward_imports, "portal/ledger/posting.py", "from portal.payments import unapply"),
    (rules.upward_imports, "portal/invoices/events.py", "import staff.home"),
    (rules.upward_imports, "staff/home.py", "import customer.home"),
    (rules.cycles, "portal/invoices/events.py", "import portal.invoices.totals"),
    (rules.second_doors, "portal/invoices/events.py", "import stripe"),
    (rules.faces_with_database, "staff/home.py", "import sqlalchemy"),
    (rules.faces_with_database, "customer/home.py", "from portal.db import db"),
    (
        rules.clock_readers,
        "portal/invoices/events.py",
        "import datetime as d\nfrom datetime import date\ndate.today()",
    ),
    (rules.environment_readers, "staff/home.py", "import os\nos.environ['X']"),
    (rules.impure_kernel, "portal/kernel/money.py", "import flask"),
]


@pytest.mark.parametrize(("rule", "file", "code"), VIOLATIONS)
def test_breaking_the_rule_is_noticed(rule, file, code, tmp_path: Path):
    for folder in ("portal", "staff", "customer"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "wsgi.py", tmp_path)
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{code}\n")

    assert len(rule(tmp_path)) > len(rule(ROOT))
