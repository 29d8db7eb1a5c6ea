"""All saved payment methods, and those somebody should write to the customer about."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.company import today
from portal.payment_collection import MethodFilter, MethodWorry, find_methods
from portal.web import filters, needs, page_request, render_page

bp = Blueprint("method_watch", __name__, url_prefix="/payment-methods")


@bp.get("")
@needs(Ability.CHARGE_METHODS)
def index() -> Response:
    words = {
        MethodWorry.EXPIRING: _("Expires this month"),
        MethodWorry.EXPIRED: _("Expired"),
        MethodWorry.ENDED: _("Ended by its bank"),
    }
    return render_page(
        "staff/method_watch/index.html", fragment="rows", today=today(),
        page=find_methods(filters(MethodFilter), page_request(), on=today()),
        worries=[(one.value, title) for one, title in words.items()],
    )  # fmt: skip
