"""By which way money goes back: to the card or bank it came from, or by one of the desk."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from portal.kernel.errors import InvalidFields
from portal.models import PaymentMethod, PaymentType
from portal.payment_collection import gateway_problem
from portal.payments import RefundSource, refund_types
from portal.web import Form
from staff.choices import row_of

BACK = -1  # no payment type: back to where each source came from


def offer_ways(form: Form, sources: Sequence[RefundSource]) -> None:
    """The gateway's first and chosen, where the money came in online; test money has no other."""
    online = [one for one in sources if gateway_problem(one.gives_back) is None]
    real = any(one.gives_back.livemode for one in sources)
    field = form["type_id"]
    field.offer(refund_types() if real else [])
    if online:
        field.choices = [(str(BACK), _way_words(online)), *field.choices]
    if form["on"].data is None and not form.is_submitted():
        field.data = BACK if online and online[0] is sources[0] else field.data


def chosen_way(form: Form, source: RefundSource) -> tuple[PaymentType, bool]:
    """The payment type and whether it goes through the gateway. Raises InvalidFields."""
    if form["type_id"].data != BACK:
        return row_of(refund_types(), form["type_id"].data), False
    if problem := gateway_problem(source.gives_back):
        raise InvalidFields({"type_id": problem})
    return source.gives_back.type, True


def _way_words(sources: Sequence[RefundSource]) -> str:
    methods = {one.gives_back.type.method for one in sources}
    if methods == {PaymentMethod.BANK_DEBIT}:
        return str(_("Back to the bank account it came from"))
    if methods == {PaymentMethod.CARD}:
        return str(_("Back to the card it came from"))
    return str(_("Back to the card or bank account it came from"))
