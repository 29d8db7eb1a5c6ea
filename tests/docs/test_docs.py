"""Docs that cannot lie: what is drawn or listed is compared with the code."""

import re
from dataclasses import fields

from portal.models import (
    ATTEMPT,
    BATCH,
    CHARGE,
    DUNNING_CASE,
    DUNNING_STEP,
    FEE_RUN,
    GATEWAY_REFUND,
    INVOICE,
    INVOICE_DISPUTE,
    JOB,
    PAYMENT,
    PLAN,
    PROMISE,
    REFUND_REQUEST,
    REVIEW,
    SETUP,
    WRITE_OFF_PROPOSAL,
)
from portal.settings import Settings
from tests.architecture.graph import ROOT

LIFECYCLES = {
    "Job": JOB,
    "Invoice": INVOICE,
    "Review of an invoice": REVIEW,
    "Payment": PAYMENT,
    "Batch": BATCH,
    "Payment attempt": ATTEMPT,
    "Saving a payment method": SETUP,
    "Planned charge": CHARGE,
    "Payment plan": PLAN,
    "Refund waiting for a second person": REFUND_REQUEST,
    "Refund through the gateway": GATEWAY_REFUND,
    "Dispute of an invoice": INVOICE_DISPUTE,
    "Promise to pay": PROMISE,
    "Case of collections": DUNNING_CASE,
    "Stage of a case": DUNNING_STEP,
    "Proposal to write off": WRITE_OFF_PROPOSAL,
    "Run of late fees": FEE_RUN,
}


def drawn() -> str:
    parts = ["# Lifecycles", "", "Drawn from the code; `tests/docs` fails when this page is stale."]
    for name, lifecycle in LIFECYCLES.items():
        parts += ["", f"## {name}", "", "```mermaid", lifecycle.drawing(), "```"]
    return "\n".join(parts) + "\n"


def test_the_lifecycles_are_drawn_fresh():
    assert (ROOT / "docs" / "lifecycles.md").read_text() == drawn()


def test_the_readme_lists_every_setting():
    readme = (ROOT / "README.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.M))
    assert listed == {field.name.upper() for field in fields(Settings)}


def test_every_page_that_names_the_bounce_secret_says_how_long_it_is():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    naming = [page.read_text() for page in pages if "BOUNCE_SECRET" in page.read_text()]

    assert len(naming) == 2
    assert all("at least 32 characters" in page for page in naming)


def test_the_readme_names_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for command in ("run", "test"):
        assert f"make {command}" in readme
        assert re.search(rf"^{command}:", makefile, re.M)
