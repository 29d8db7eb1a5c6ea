"""Runs of statements: whom and how much first, then the progress and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import StringField, TextAreaField

from portal.access import Ability
from portal.company import today
from portal.customers import customer_types
from portal.kernel.errors import DomainError
from portal.models import (
    Channel,
    Delivery,
    StatementItemState,
    StatementKind,
    StatementRun,
    StatementRunState,
    StatementWay,
)
from portal.outbox import Words, mail_is_kept, placeholders_of, words_for
from portal.statements import (
    Audience,
    Rules,
    RunFigures,
    RunOrder,
    StatementWanted,
    audience_ids,
    figures_of,
    find_candidates,
    find_items,
    find_runs,
    get_run,
    monthly_wanted,
    outlook,
    start_run,
    statement_settings,
    statements_of_items,
    stop_run,
)
from portal.web import (
    Form,
    OnceField,
    asked_for,
    filters,
    is_repeat,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
    words_of,
)

bp = Blueprint("statement_runs", __name__, url_prefix="/statements/runs")


class WordsForm(Form):
    once = OnceField()
    subject = StringField("Subject")
    body = TextAreaField("Words", render_kw={"rows": 10, "spellcheck": "true"})


@dataclass(frozen=True)
class Asked:
    """How the statements are wanted, as it stands in the address."""

    kind: StatementKind | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    way: StatementWay = StatementWay.AS_PREFERRED
    weeks: int | None = None
    credit_only: bool = False
    copies: bool = False


@bp.get("")
@needs(Ability.SEND_STATEMENTS)
def index() -> Response:
    page = find_runs(page_request())
    return render_page(
        "staff/statements/runs.html", fragment="rows", page=page, figures=figures_of(page.rows),
        settings=statement_settings(),
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.SEND_STATEMENTS)
def new() -> Response:
    return _ask(WordsForm(formdata=None))


@bp.post("")
@needs(Ability.SEND_STATEMENTS)
def create() -> Response:
    """Asked again when others match by now: what was confirmed is what is sent."""
    form, wanted = WordsForm(), _wanted(filters(Asked))
    ids = audience_ids(filters(Audience), on=wanted.ends_on)
    try:
        if request.form.get("seen") != _seen(ids) and not is_repeat(form):
            return _ask(form, changed=True)
        return once(form, lambda: _start(ids, wanted, form))
    except DomainError as error:
        form.refuse(error)
        return _ask(form, status=422)


@bp.get("/<int:run_id>")
@needs(Ability.SEND_STATEMENTS)
def show(run_id: int) -> Response:
    run = get_run(run_id)
    state = request.args.get("state", "")
    known = StatementItemState(state) if state in list(StatementItemState) else None
    page = find_items(run, page_request(), state=known)
    figures = figures_of([run])[run.id]
    return render_page(
        "staff/statements/run.html", fragment="run", run=run, figures=figures, page=page,
        papers=statements_of_items([one.id for one in page.rows]), left=_left(run, figures),
        states=[(one.value, words_of(one)) for one in StatementItemState], kept=mail_is_kept(),
    )  # fmt: skip


@bp.post("/<int:run_id>/stop")
@needs(Ability.SEND_STATEMENTS)
def stop(run_id: int) -> Response:
    stop_run(get_run(run_id))
    notify(_("Stopped. Statements made so far go their way; nobody else gets one."), "warning")
    return redirect_to("staff.statement_runs.show", run_id=run_id)


def _start(ids: Sequence[int], wanted: StatementWanted, form: WordsForm) -> Response:
    asked = filters(Asked)
    own = Words(form.subject.data or "", form.body.data or "")
    order = RunOrder(
        wanted,
        way=asked.way,
        copies=asked.copies,
        credit_only=asked.credit_only,
        weeks_between=_weeks(asked),
        words=own if own.body.strip() else None,
        narrowed_to=_in_words(filters(Audience)),
    )
    run = start_run(ids, order, today=today(), by=signed_in_user())
    return redirect_to("staff.statement_runs.show", run_id=run.id)


def _wanted(asked: Asked) -> StatementWanted:
    """As it was asked, else as the monthly run would do it today."""
    kind = asked.kind or statement_settings().kind
    usual = monthly_wanted(kind, today())
    ends_on = asked.ends_on or usual.ends_on
    starts_on = asked.starts_on or usual.starts_on
    return StatementWanted(kind, ends_on, starts_on)


def _weeks(asked: Asked) -> int:
    weeks = statement_settings().weeks_between if asked.weeks is None else asked.weeks
    return min(max(weeks, 0), 52)


def _ask(form: WordsForm, *, changed: bool = False, status: int = 200) -> Response:
    asked, audience = filters(Asked), filters(Audience)
    wanted = _wanted(asked)
    rules = Rules(asked.way, asked.credit_only, _weeks(asked))
    ids = audience_ids(audience, on=wanted.ends_on)
    return render_page(
        "staff/statements/new_run.html", fragment="rows", status=status, form=form,
        wanted=wanted, rules=rules, ids=ids, seen=_seen(ids), changed=changed,
        outlook=outlook(audience, rules, on=wanted.ends_on),
        page=find_candidates(audience, rules, page_request(), on=wanted.ends_on),
        address=url_for("staff.statement_runs.create", **asked_for()), kept=mail_is_kept(),
        house=words_for("statement", Channel.EMAIL, "en"), why=_reasons(), asked=asked,
        placeholders=placeholders_of("statement"), **_choices(),
    )  # fmt: skip


def _choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "kinds": [(one.value, words_of(one)) for one in StatementKind],
        "ways": [(one.value, words_of(one)) for one in StatementWay],
        "types": [(str(one.id), one.name) for one in customer_types()],
        "deliveries": [(one.value, words_of(one)) for one in Delivery],
        "lates": [
            (str(days), ngettext("at least one day late", "at least %(num)s days late", days))
            for days in (1, 31, 61, 91)
        ],
        "yes": [("yes", _("yes"))],
    }


def _reasons() -> dict[str, str]:
    return {
        "no mail": _("No email address, or no address at all"),
        "no paper": _("No postal address"),
        "inactive": _("Not active any more"),
        "soon": _("Had one not long ago"),
        "protected": _("Bankrupt, represented, or no contact wanted"),
        "credit": _("Only credit"),
    }


def _seen(ids: Sequence[int]) -> str:
    """These very customers, as a mark."""
    return hashlib.sha256(repr(list(ids)).encode()).hexdigest()


def _in_words(audience: Audience) -> str:
    """The filter, for whoever looks at the run later."""
    types = {one.id: one.name for one in customer_types()}
    parts = [
        audience.q and f"“{audience.q}”",
        audience.customer_type_id and types.get(audience.customer_type_id, ""),
        audience.delivery and words_of(audience.delivery),
        audience.least is not None and _("at least %(a)s due", a=audience.least),
        audience.late is not None and _("%(n)s or more days late", n=audience.late),
    ]
    return ", ".join(str(one) for one in parts if one)


def _left(run: StatementRun, figures: RunFigures) -> str:
    """How long it will still take, roughly; empty while nobody can know."""
    if run.state is not StatementRunState.WAITING or not figures.rate:
        return ""
    if figures.seconds_left < 60:
        return str(_("less than a minute left"))
    minutes = round(figures.seconds_left / 60)
    return str(ngettext("about a minute left", "about %(num)s minutes left", minutes))
