"""What a customer looks after seldom: payment methods, autopay, devices, signing out."""

from __future__ import annotations

from flask import Blueprint, Response

from customer.mine import me
from portal.web import payers_only, render_page

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@payers_only
def show() -> Response:
    return render_page("customer/account/show.html", payer=me())
