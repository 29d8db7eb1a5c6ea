"""Sending many invoices, sending by rule, the list to print, and mail that came back."""

from portal.sendings.bounce_reports import BounceReport, read_reports
from portal.sendings.by_rule import send_completed, send_posted
from portal.sendings.hooks import set_up
from portal.sendings.items import already_sent, sent_marks
from portal.sendings.papers import photo_bytes, shared_photos
from portal.sendings.printing import (
    find_to_print,
    ids_to_print,
    mark_printed,
    print_mark,
    put_to_print,
)
from portal.sendings.queries import (
    Outlook,
    RunFigures,
    bounced_message,
    figures_of,
    figures_of_all,
    find_items,
    find_runs,
    get_run,
    not_sent_by_rule,
    outlook,
)
from portal.sendings.rules import RuleWords, add_rule, change_rule, get_rule, rules
from portal.sendings.runs import look_at_run, start_run, stop_run, waiting_runs

__all__ = [
    "BounceReport",
    "Outlook",
    "RuleWords",
    "RunFigures",
    "add_rule",
    "already_sent",
    "bounced_message",
    "change_rule",
    "figures_of",
    "figures_of_all",
    "find_items",
    "find_runs",
    "find_to_print",
    "get_rule",
    "get_run",
    "ids_to_print",
    "look_at_run",
    "mark_printed",
    "not_sent_by_rule",
    "outlook",
    "photo_bytes",
    "print_mark",
    "put_to_print",
    "read_reports",
    "rules",
    "send_completed",
    "send_posted",
    "sent_marks",
    "set_up",
    "shared_photos",
    "start_run",
    "stop_run",
    "waiting_runs",
]
