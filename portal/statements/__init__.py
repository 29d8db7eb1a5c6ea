"""Statements of account: computed as of a day, sent one or many, kept as they were sent."""

from portal.statements.audience import (
    Audience,
    Candidate,
    Outlook,
    Rules,
    audience_ids,
    find_candidates,
    outlook,
)
from portal.statements.computing import Account, StatementWanted, account_of
from portal.statements.deciding import has_postal_address
from portal.statements.keeping import statement_bytes, statement_values
from portal.statements.links import (
    note_opened,
    payable_of,
    revoke_link,
    statement_link,
    statement_of_token,
)
from portal.statements.monthly import (
    MonthlyWords,
    change_settings,
    monthly_wanted,
    send_monthly,
    statement_settings,
)
from portal.statements.paper import StatementPaper, statement_paper
from portal.statements.printing import statement_name, statement_pdf
from portal.statements.queries import (
    RunFigures,
    StatementFilter,
    figures_of,
    find_items,
    find_runs,
    find_statements,
    get_run,
    get_statement,
    ids_to_print,
    statements_of,
    statements_of_items,
)
from portal.statements.runs import RunOrder, start_run, stop_run, waiting_shares
from portal.statements.sending import StatementOrder, mark_printed, send_statement
from portal.statements.working import look_at_share

__all__ = [
    "Account", "Audience", "Candidate", "MonthlyWords", "Outlook", "Rules", "RunFigures",
    "RunOrder", "StatementFilter", "StatementOrder", "StatementPaper", "StatementWanted",
    "account_of", "audience_ids", "change_settings", "figures_of", "find_candidates",
    "find_items", "find_runs", "find_statements", "get_run", "get_statement",
    "has_postal_address", "ids_to_print", "look_at_share", "mark_printed", "monthly_wanted",
    "note_opened", "outlook", "payable_of", "revoke_link", "send_monthly", "send_statement",
    "start_run", "statement_bytes", "statement_link", "statement_name", "statement_of_token",
    "statement_paper", "statement_pdf", "statement_settings", "statement_values",
    "statements_of", "statements_of_items", "stop_run", "waiting_shares",
]  # fmt: skip
