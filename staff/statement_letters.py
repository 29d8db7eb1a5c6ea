"""A customer's statement: looked at, then sent with words one can edit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext as _
from wtforms import BooleanField, StringField, TextAreaField

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.invoices import billing_contacts, customer_addresses
from portal.kernel.addresses import split_addresses
from portal.kernel.calendar import month_start
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Channel, Customer, Delivery, StatementKind
from portal.outbox import (
    Letter,
    Words,
    bounced_addresses,
    mail_is_kept,
    placeholders_of,
    spoken,
    words_for,
    write_letter,
)
from portal.settings import Settings
from portal.statements import (
    Account,
    StatementOrder,
    StatementWanted,
    account_of,
    has_postal_address,
    send_statement,
    statement_name,
    statement_paper,
    statement_pdf,
    statement_values,
    statements_of,
)
from portal.web import (
    Form,
    OnceField,
    asked_for,
    filters,
    needs,
    once,
    pdf_response,
    redirect_to,
    render_page,
    signed_in_user,
    words_of,
)

bp = Blueprint("statement_letters", __name__, url_prefix="/customers/<int:customer_id>/statements")


class LetterForm(Form):
    once = OnceField()
    more = StringField("More addresses, separated by commas", render_kw={"autocomplete": "off"})
    prints = BooleanField("Put it on the list to print")
    copies = BooleanField("Append copies of the open invoices")
    subject = StringField("Subject")
    body = TextAreaField("Words", render_kw={"rows": 12, "spellcheck": "true"})


@dataclass(frozen=True)
class Range:
    """Which statement is looked at, as it stands in the address."""

    kind: StatementKind = StatementKind.OPEN_ITEM
    starts_on: date | None = None
    ends_on: date | None = None


@bp.get("/new")
@needs(Ability.SEND_STATEMENTS)
def new(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    return _page(customer, _form(customer))


@bp.get("/preview.pdf")
@needs(Ability.SEND_STATEMENTS)
def preview(customer_id: int) -> Response:
    """As it would be sent today, without a link to pay: nothing is kept."""
    account = account_of(get_customer(customer_id), wanted_of(filters(Range)))
    return pdf_response(statement_pdf(account), statement_name(account))


@bp.post("")
@needs(Ability.SEND_STATEMENTS)
def send(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = LetterForm()
    try:
        if "look" in request.form:
            return _page(customer, form)
        return once(form, lambda: _send(customer, form))
    except DomainError as error:
        form.refuse(error)
        return _page(customer, form, status=422)


def wanted_of(asked: Range) -> StatementWanted:
    """What is asked for; a range without its days is this month so far and the one before."""
    ends_on = asked.ends_on or today()
    starts_on = asked.starts_on or month_start(month_start(ends_on) - timedelta(days=1))
    forward = asked.kind is StatementKind.BALANCE_FORWARD
    return StatementWanted(asked.kind, ends_on, starts_on if forward else None)


def _send(customer: Customer, form: LetterForm) -> Response:
    order = StatementOrder(
        to=_addresses(customer, form),
        prints=bool(form.prints.data),
        words=Words(form.subject.data or "", form.body.data or ""),
        copies=bool(form.copies.data),
    )
    run = send_statement(customer, wanted_of(filters(Range)), order, by=signed_in_user())
    return redirect_to("staff.statement_runs.show", run_id=run.id)


def _addresses(customer: Customer, form: LetterForm) -> list[str]:
    """Ticked ones that are this customer's, and what was typed."""
    known = {address for address, _name in _people(customer)}
    try:
        typed = split_addresses(form.more.data or "")
    except ValueError as error:
        raise InvalidFields({"more": str(error)}) from None
    ticked = [one for one in request.form.getlist("to") if one in known]
    return list(dict.fromkeys([*ticked, *typed]))


def _people(customer: Customer) -> list[tuple[str, str]]:
    people = [(one.email, one.name) for one in billing_contacts(customer) if one.email]
    if customer.email and customer.email not in dict(people):
        people.append((customer.email, _("the customer's own address")))
    return people


def _form(customer: Customer) -> LetterForm:
    form = LetterForm(formdata=None)
    words = words_for("statement", Channel.EMAIL, spoken(customer.language))
    form.subject.data, form.body.data = words.subject, words.body
    form.prints.data = customer.delivery in (Delivery.MAIL, Delivery.BOTH)
    return form


def _page(customer: Customer, form: LetterForm, *, status: int = 200) -> Response:
    wanted, problem, account = wanted_of(filters(Range)), "", None
    try:
        account = account_of(customer, wanted)
    except DomainError as error:
        problem, status = str(error), 422
    bounced, here = bounced_addresses([customer.id]), {**asked_for(), "customer_id": customer.id}
    usual = set(customer_addresses(customer)) - bounced.keys()
    ticked = set(request.form.getlist("to")) if request.form else usual
    if customer.delivery is Delivery.MAIL and not request.form:
        ticked = set()
    return render_page(
        "staff/statements/letter.html", status=status, customer=customer, form=form,
        wanted=wanted, problem=problem, account=account,
        paper=statement_paper(account) if account else None,
        letter=_letter(account, form) if account else None,
        people=_people(customer), ticked=ticked, bounced=bounced, kept=mail_is_kept(),
        kinds=[(one.value, words_of(one)) for one in StatementKind],
        address=url_for("staff.statement_letters.send", **here),
        pdf=url_for("staff.statement_letters.preview", **here),
        postal=has_postal_address(customer), placeholders=placeholders_of("statement"),
        before=statements_of([customer.id], limit=10),
    )  # fmt: skip


def _letter(account: Account, form: LetterForm) -> Letter:
    """The mail as it would be read; the link in it is none yet."""
    language = spoken(account.customer.language)
    values = statement_values(account, _no_link(), language)
    return write_letter(Words(form.subject.data or "", form.body.data or ""), values, language)


def _no_link() -> str:
    settings: Settings = current_app.config["SETTINGS"]
    return f"{settings.base_url}/pay/statement/…"
