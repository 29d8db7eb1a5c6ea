"""What an independent program, hledger, makes of our journal."""

import os
import shutil
import subprocess
from decimal import Decimal

import pytest

from portal.ledger import hledger_text, trial_balance


def hledger_balances(folder):
    """Account number → balance by hledger, of the whole journal; absence is a failure in CI."""
    program = shutil.which("hledger")
    if program is None:
        reason = "hledger is not installed here"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    journal = folder / "books.journal"
    with journal.open("w") as file:
        file.writelines(hledger_text())
    words = [program, "-f", str(journal), "balance", "--flat", "--no-total", "--output-format=csv"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows = [line.strip('"').split('","') for line in told.splitlines()[1:]]
    return {name.split(":")[1].split()[0]: Decimal(amount) for name, amount in rows}


def our_balances(on):
    rows = [row for row in trial_balance(on) if row.balance]
    return {row.account.number: row.balance.amount for row in rows}
