"""What is promised about payments, and the tests that keep it. Add yours to SECTIONS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BOTH = ("sqlite", "postgresql")
PYTEST = ".venv/bin/python -m pytest -q"


@dataclass(frozen=True)
class Section:
    """One figure: `tests` are arguments of pytest, run once per engine."""

    key: str
    title: str
    promise: str
    tests: str
    engines: Sequence[str] = BOTH

    def command(self, engine: str, seed: int) -> str:
        """What anybody types to see the same again."""
        return f"{PYTEST} {self.tests} --seed={seed} --engine={engine}"


SECTIONS = [
    Section(
        "payout",
        "A payout of 500 rows nets to zero",
        "Charges, refunds, failed refunds, disputes lost and won and monthly fees: every movement "
        "matches ours to the cent, clearing keeps nothing, and one injected cent is named.",
        'tests/payment_collection/test_payouts.py -k "five_hundred or injected_cent"',
    ),
    Section(
        "fuzz",
        "10,000 made-up webhooks",
        "Noise, wrong types at every path, deep and huge JSON, invalid UTF-8, odd headers: never "
        "a 500, and nothing is written without a valid signature. Half are signed, half forged.",
        "tests/payment_collection/test_fuzzed_webhooks.py -k made_up --fuzz=10000",
    ),
    Section(
        "signatures",
        "Signatures and the size of a body",
        "A signature holds only for its own body, secret and time, five minutes either way; a "
        "body of more than 256 kB is not read.",
        'tests/payment_collection/test_fuzzed_webhooks.py -k "signature_holds or 256_kb"',
    ),
    Section(
        "janitor",
        "Without any webhook",
        "Unknown attempts are looked at after 5 minutes, an hour and five times a day later, then "
        "parked, still live; pending ones after an hour and daily. With every webhook lost one "
        "pass converges.",
        "tests/payment_collection/test_janitor.py",
    ),
    Section(
        "comparison",
        "The nightly comparison",
        "What only one side knows, or knows with another amount, is told in words, once, until "
        "it is gone or explained.",
        "tests/payment_collection/test_comparing.py",
    ),
    Section(
        "faults",
        "Every fault at every request",
        "Refused, dropped, 500, slow, 409, 429, malformed or a wrong amount, at each of customer, "
        "session, create, confirm, refund and list: 48 cases through the real SDK, after which "
        "the gateway's charges and refunds equal ours.",
        "tests/payment_collection/test_faults.py",
        engines=("sqlite",),
    ),
    Section(
        "confluence",
        "Webhooks in every order",
        "All 120 orders of session completed, processing, succeeded, refunded and disputed, each "
        "told once, twice or three times, with the return page first, last or never: 1,080 lives "
        "of a payment end in one ledger.",
        "tests/payment_collection/test_confluence.py --orders=1080",
    ),
    Section(
        "races",
        "Two at once",
        "Pay, void, credit, refund, dispute, charge, apply, post and number at the same time: "
        "never more than is owed, every cent recorded, no deadlock seen by anybody.",
        "tests/concurrency --rounds=200",
        engines=("postgresql",),
    ),
    Section(
        "serializable",
        "Two at once, in serializable transactions",
        "The same races under PostgreSQL's strictest isolation: what it refuses is begun anew.",
        "tests/concurrency --rounds=200 --isolation=serializable",
        engines=("postgresql",),
    ),
    Section(
        "matrix",
        "Killed ten times at every place",
        "SIGKILL at twelve places and more of each of pay, autopay, refund, numbering and mail, "
        "and at any SQL statement, ten times each, before or after, early or late; every third "
        "time who comes to clear up is killed as well. After every kill the books and the audit "
        "trail verify; in the end nothing is lost and nothing doubled.",
        "-m crash tests/crash/test_matrix.py --kills=10",
    ),
    Section(
        "database",
        "PostgreSQL killed in the middle",
        "SIGKILL of PostgreSQL, the whole server or the process that serves us, in the middle of "
        "each of the five journeys; it comes back, the app goes on with the connections it has.",
        "-m crash tests/crash/test_database_kills.py --kills=10",
        engines=("postgresql",),
    ),
    Section(
        "weather",
        "Killed while the gateway fails too",
        "Posting, paying at (local) Stripe and settling, killed at sixteen places in five "
        "weathers, from fair to answers lost; and a charge of a saved method, before and after.",
        "-m crash tests/crash/test_kills.py tests/crash/test_charge_kills.py",
        engines=("sqlite",),
    ),
    Section(
        "batches",
        "Killed while a batch is posted",
        "The worker is killed twice in a row at each step; the next one ends what was begun, and "
        "every number is given once.",
        "-m crash tests/crash/test_batch_kills.py",
    ),
]
