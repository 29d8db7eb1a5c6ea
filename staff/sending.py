"""Sending one invoice: a page that shows the letter first, and says when it went out before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import Ability
from portal.audit import trail_of
from portal.company import company, format_instant
from portal.invoices import (
    Sending,
    get_invoice,
    hand_out_link,
    lock_in_order,
    revoke_pay_links,
    send_invoice,
    send_text,
    sending_problem,
    show_link,
    template_kind,
)
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import Invoice, InvoiceState
from portal.outbox import (
    mail_is_kept,
    messages_about,
    placeholders_of,
    texts_are_kept,
)
from portal.sendings import already_sent, put_to_print, shared_photos
from portal.web import (
    Form,
    is_repeat,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.invoices import page_of
from staff.letters import (
    LetterForm,
    letter_form,
    preview,
    recipients,
    sending_of,
)
from staff.questions import is_answered, sending_question
from staff.texts import TextForm, phones, text_form, text_of, text_preview
from staff.timeline import actor_words

bp = Blueprint("sending", __name__, url_prefix="/invoices")


@bp.get("/<int:invoice_id>/sending")
@needs(Ability.SEND_INVOICES)
def form(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    return _page(invoice, letter_form(invoice))


@bp.post("/<int:invoice_id>/sending")
@needs(Ability.SEND_INVOICES)
def send(invoice_id: int) -> Response:
    """Sends at once what is final and was never sent; everything else is shown first."""
    invoice = _held(invoice_id)
    letter = letter_form(invoice)
    if _is_to_be_shown(invoice, letter):
        return _page(invoice, letter)
    try:
        how = sending_of(invoice, letter, shared_photos(invoice))
        return once(letter, lambda: _send(invoice, how))
    except DomainError as error:  # also what is no field's fault: the letter keeps what was typed
        letter.refuse(error)
        return _page(invoice, letter, status=422)


@bp.post("/<int:invoice_id>/sending/preview")
@needs(Ability.SEND_INVOICES)
def look(invoice_id: int) -> Response:
    """The letter as it would be read: the whole page, or only the preview while typing."""
    invoice = get_invoice(invoice_id)
    return _page(invoice, letter_form(invoice))


@bp.post("/<int:invoice_id>/text")
@needs(Ability.SEND_INVOICES)
def text(invoice_id: int) -> Response:
    """Refused or asked, what was typed and ticked stays; a second text is asked about first."""
    invoice = _held(invoice_id)
    typed = text_form(invoice)
    if _is_to_be_shown(invoice, typed):
        return _page(invoice, letter_form(invoice))
    try:
        how = text_of(invoice, typed)
        return once(typed, lambda: _text(invoice, how))
    except DomainError as error:
        typed.refuse(error)
        return _page(invoice, letter_form(invoice), status=422, typed=typed)


@bp.post("/<int:invoice_id>/to-print")
@needs(Ability.SEND_INVOICES)
def to_print(invoice_id: int) -> Response:
    put_to_print(get_invoice(invoice_id), by=signed_in_user())
    notify(_("It is on the list to print. Print it there, then mark it as sent."))
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


@bp.post("/<int:invoice_id>/pay-links/revoke")
@needs(Ability.SEND_INVOICES)
def revoke_links(invoice_id: int) -> Response:
    revoke_pay_links(get_invoice(invoice_id))
    notify(_("Links sent so far no longer work. The next one you send will."))
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


@bp.post("/<int:invoice_id>/pay-link")
@needs(Ability.SEND_INVOICES)
def make_link(invoice_id: int) -> Response:
    """For the office to look at: the customer has got nothing by that."""
    invoice = get_invoice(invoice_id)
    return page_of(invoice, pay_link=show_link(invoice))


@bp.post("/<int:invoice_id>/pay-link/passed-on")
@needs(Ability.SEND_INVOICES)
def passed_on(invoice_id: int) -> Response:
    hand_out_link(_held(invoice_id))
    notify(_("It counts as sent, since you passed the link on."))
    return redirect_to("staff.invoices.show", invoice_id=invoice_id)


def what_became_of(count: int, *, kept: bool) -> str:
    """What the notice may truly say."""
    if not count:
        return str(_("This was sent a moment ago."))
    if kept:
        words = ngettext(
            "One message is kept in the outbox, not sent: no mail server is set up.",
            "%(num)s messages are kept in the outbox, not sent: no mail server is set up.",
            count,
        )
    else:
        words = ngettext("One message is on its way.", "%(num)s messages are on their way.", count)
    return str(words)


def _send(invoice: Invoice, how: Sending) -> Response:
    notify(what_became_of(send_invoice(invoice, how), kept=mail_is_kept()))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _text(invoice: Invoice, how: Sending) -> Response:
    count = send_text(invoice, how)
    if texts_are_kept():
        notify(_("The text is kept in the outbox, not sent: no text gateway is set up."), "warning")
    else:
        notify(what_became_of(count, kept=False))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _held(invoice_id: int) -> Invoice:
    """The invoice under lock: of two people who send it, the second sees what the first sent."""
    lock_in_order([invoice_id])
    return get_invoice(invoice_id)


def _is_to_be_shown(invoice: Invoice, form: Form) -> bool:
    """A draft, or what went out before, unless that is just what was said yes to."""
    if invoice.state is not InvoiceState.PENDING and already_sent(invoice) is None:
        return False
    return not is_answered(sending_question([invoice.id])) and not is_repeat(form)


def _page(
    invoice: Invoice, letter: LetterForm, *, status: int = 200, typed: TextForm | None = None
) -> Response:
    (asked,) = sending_question([invoice.id]).rows
    photos = shared_photos(invoice)
    text_as_typed = typed or text_form(invoice)
    return render_page(
        "staff/sendings/letter.html", fragment="preview", status=status, invoice=invoice,
        form=letter, asked=asked, recipients=recipients(invoice), preview=preview(invoice, letter),
        photos=photos, megabytes=sum(one.file.size for one in photos) / 1024 / 1024,
        before=messages_about(invoice), again=already_sent(invoice), last=_last_sent(invoice),
        changed=request.form.get("confirmed") == "yes" and asked.seen not in _seen(),
        kept=mail_is_kept(), texts_kept=texts_are_kept(), phones=phones(invoice),
        text_form=text_as_typed, text_preview=text_preview(invoice, text_as_typed),
        placeholders=placeholders_of(template_kind(invoice)), problem=sending_problem(invoice),
    )  # fmt: skip


def _last_sent(invoice: Invoice) -> str:
    """Who let it leave last, and how long ago; empty when the trail tells of nobody."""
    left = (one for one in trail_of(invoice) if one.verb in ("sent", "kept"))
    last = next(left, None)
    if last is None:
        return ""
    what = _("Kept in the outbox") if last.verb == "kept" else _("Sent")
    return str(_("%(w)s %(t)s by %(n)s.", w=what, t=_ago(last.at), n=actor_words(last.actor)))


def _ago(at: datetime) -> str:
    minutes = int((clock.now() - at).total_seconds() // 60)
    if minutes < 1:
        return str(_("a moment ago"))
    if minutes < 120:
        return str(ngettext("a minute ago", "%(num)s minutes ago", minutes))
    return str(_("on %(d)s", d=format_instant(at, company().locale, company().zone)))


def _seen() -> Sequence[str]:
    return request.form.getlist("seen")
