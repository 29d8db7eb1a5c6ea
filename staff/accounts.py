"""The chart of accounts, with the trial balance beside it."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.kernel.errors import DomainError
from portal.ledger import (
    AccountFilter,
    add_account,
    change_account,
    find_accounts,
    get_account,
    trial_balance,
)
from portal.models import Account, AccountKind
from portal.web import (
    ChoiceField,
    Form,
    VersionField,
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
)

bp = Blueprint("accounts", __name__, url_prefix="/accounts")


class AccountForm(Form):
    version = VersionField()
    number = StringField("Number")
    name = StringField("Name")
    kind = ChoiceField("Kind", AccountKind)
    active = BooleanField("Active", default=True)


@bp.get("")
@needs(Ability.VIEW_LEDGER)
def index() -> Response:
    balances = {row.account.id: row.balance for row in trial_balance(today())}
    return render_page(
        "staff/accounts/index.html", fragment="rows",
        page=find_accounts(filters(AccountFilter), page_request(size=100)), balances=balances,
        kinds=[(one.value, one.value.capitalize()) for one in AccountKind], on=today(),
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.EDIT_SETTINGS)
def new() -> Response:
    return _page(None, AccountForm(formdata=None))


@bp.post("")
@needs(Ability.EDIT_SETTINGS)
def create() -> Response:
    form = AccountForm()
    try:
        if form.is_sent():
            add_account(
                number=form.number.data or "", name=form.name.data or "", kind=form.kind.data
            )
            notify(_("Added."))
            return redirect_to("staff.accounts.index")
    except DomainError as error:
        form.refuse(error)
    return _page(None, form, status=422)


@bp.get("/<int:account_id>")
@needs(Ability.EDIT_SETTINGS)
def show(account_id: int) -> Response:
    account = get_account(account_id)
    return _page(account, AccountForm(None, obj=account))


@bp.post("/<int:account_id>")
@needs(Ability.EDIT_SETTINGS)
def save(account_id: int) -> Response:
    account = get_account(account_id)
    form = AccountForm(request.form, obj=account)
    try:
        change_account(
            account, version=form.version.data, number=form.number.data or "",
            name=form.name.data or "", active=bool(form.active.data),
        )  # fmt: skip
        notify(_("Saved."))
        return redirect_to("staff.accounts.index")
    except DomainError as error:
        form.refuse(error)
    return _page(account, form, status=422)


def _page(account: Account | None, form: AccountForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/accounts/form.html", status=status, account=account, form=form,
        trail=trail_of(account) if account else [],
    )  # fmt: skip
