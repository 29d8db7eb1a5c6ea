"""Sending invoices: a draft nobody reviewed, and several at once, are asked about first."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import Ability
from portal.invoices import get_invoice, hand_out_link, revoke_pay_links, send_invoice
from portal.kernel.errors import DomainError
from portal.outbox import mail_is_kept
from portal.web import needs, notify, redirect_to
from staff.invoices import page_of
from staff.questions import ask, is_answered, needs_a_look, sending_question, ticked

bp = Blueprint("sending", __name__, url_prefix="/invoices")


@bp.post("/<int:invoice_id>/sending")
@needs(Ability.SEND_INVOICES)
def send(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    asked = sending_question([invoice_id])
    if needs_a_look(invoice) and asked.ready and not is_answered(asked):
        here = url_for("staff.sending.send", invoice_id=invoice_id)
        return ask(asked, address=here, back=url_for("staff.invoices.show", invoice_id=invoice_id))
    count = send_invoice(invoice, to=request.form.get("to", "").replace(";", ",").split(","))
    notify(_what_became_of(count) if count else _("This was sent a moment ago."))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _what_became_of(count: int) -> str:
    if mail_is_kept():
        words = ngettext(
            "One message is kept in the outbox, not sent: no mail server is set up.",
            "%(num)s messages are kept in the outbox, not sent: no mail server is set up.",
            count,
        )
    else:
        words = ngettext("One message is on its way.", "%(num)s messages are on their way.", count)
    return str(words)


@bp.post("/sendings")
@needs(Ability.SEND_INVOICES)
def send_many() -> Response:
    """The bulk bar: send each selected invoice; one without an address is named, not lost."""
    ids = ticked()
    asked = sending_question(ids)
    if not is_answered(asked):
        here, back = url_for("staff.sending.send_many"), url_for("staff.invoices.index")
        return ask(asked, address=here, back=back)
    sent, refused = _send_each(ids)
    notify(_what_became_of(sent))
    for sentence in refused[:10]:
        notify(sentence, "warning")
    return redirect_to("staff.invoices.index")


@bp.post("/<int:invoice_id>/pay-links/revoke")
@needs(Ability.SEND_INVOICES)
def revoke_links(invoice_id: int) -> Response:
    revoke_pay_links(get_invoice(invoice_id))
    notify(_("Links sent so far no longer work. The next one you send will."))
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


@bp.post("/<int:invoice_id>/pay-link")
@needs(Ability.SEND_INVOICES)
def make_link(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return page_of(invoice, pay_link=hand_out_link(invoice))


def _send_each(ids: Sequence[int]) -> tuple[int, list[str]]:
    """How many left, and a sentence for each that did not."""
    sent, refused = 0, []
    for invoice_id in ids:
        invoice = get_invoice(invoice_id)
        try:
            if send_invoice(invoice):
                sent += 1
            else:
                refused.append(_("%(n)s was sent a moment ago.", n=invoice.number))
        except DomainError as error:
            refused.append(f"{invoice.number}: {error}")
    return sent, refused
