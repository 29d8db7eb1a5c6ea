"""Posting invoices: the question first, then one or all that were ticked."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import Ability
from portal.invoices import date_on_open_day, get_invoice, post_invoice, post_invoices
from portal.kernel.errors import DomainError
from portal.web import needs, notify, redirect_to, require, signed_in_user
from staff.questions import Question, ask, is_answered, posting_question, ticked

bp = Blueprint("posting", __name__, url_prefix="/invoices")


@bp.get("/<int:invoice_id>/posting")
@needs(Ability.POST_INVOICES)
def question(invoice_id: int) -> Response:
    return _ask_about(invoice_id, posting_question([invoice_id]))


@bp.post("/<int:invoice_id>/posting")
@needs(Ability.POST_INVOICES)
def post(invoice_id: int) -> Response:
    asked = posting_question([invoice_id])
    if (asked.ready and not is_answered(asked)) or asked.rows[0].open_day:
        return _ask_about(invoice_id, asked)
    invoice = get_invoice(invoice_id)
    post_invoice(invoice, by=signed_in_user())
    notify(_("Posted as %(n)s.", n=invoice.number))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/<int:invoice_id>/posting/open-day")
@needs(Ability.POST_INVOICES)
def post_on_open_day(invoice_id: int) -> Response:
    """Out of a closed month and onto the books; asked again when that changed the total."""
    require(Ability.EDIT_INVOICES)
    invoice = get_invoice(invoice_id)
    total = invoice.total
    date_on_open_day(invoice, version=request.form.get("version", 0, type=int))
    if invoice.total != total:
        notify(_("The sales tax of that day is another. Look at the new total."), "warning")
        return redirect_to("staff.posting.question", invoice_id=invoice_id)
    post_invoice(invoice, by=signed_in_user())
    notify(_("Posted as %(n)s.", n=invoice.number))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


@bp.post("/postings")
@needs(Ability.POST_INVOICES)
def post_many() -> Response:
    """The bulk bar: all that can be posted or none; the refused ones are named in the question."""
    ids = ticked()
    asked = posting_question(ids)
    if not is_answered(asked):
        here, back = url_for("staff.posting.post_many"), url_for("staff.invoices.index")
        return ask(asked, address=here, back=back)
    seen = {one.invoice.id: one.invoice.version for one in asked.rows}
    outcome = post_invoices(ids, by=signed_in_user(), seen=seen)
    if outcome.refused:
        words = "; ".join(f"{one.number}: {why}" for one, why in outcome.refused[:10])
        raise DomainError(_("Nothing was posted. %(why)s", why=words))
    done = len(outcome.done)
    notify(ngettext("One invoice was posted.", "%(num)s invoices were posted.", done))
    return redirect_to("staff.invoices.index", state="posted")


def _ask_about(invoice_id: int, asked: Question) -> Response:
    here = url_for("staff.posting.post", invoice_id=invoice_id)
    return ask(asked, address=here, back=url_for("staff.invoices.show", invoice_id=invoice_id))
