import pytest

from portal.audit import trail_of
from portal.db import PageRequest, db
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.ledger import (
    AccountFilter,
    account_for,
    active_accounts,
    add_account,
    change_account,
    ensure_chart,
    find_accounts,
)
from portal.models import AccountKind, AccountRole


def added(number="4050", name="Permits"):
    account = add_account(number=number, name=name, kind=AccountKind.INCOME)
    db.session.flush()
    return account


def found(**wanted):
    return [one.number for one in find_accounts(AccountFilter(**wanted), PageRequest()).rows]


def test_every_role_of_the_house_has_its_account(app):
    assert {account_for(role).role for role in AccountRole} == set(AccountRole)


def test_making_the_chart_twice_adds_nothing(app):
    before = found()
    ensure_chart()
    assert found() == before


def test_making_the_chart_again_respects_a_renumbered_account(app):
    revenue = account_for(AccountRole.REVENUE)
    change_account(revenue, version=revenue.version, number="4001", name="Sales", active=True)
    db.session.flush()
    before = len(found())

    ensure_chart()

    assert len(found()) == before
    assert account_for(AccountRole.REVENUE).name == "Sales"


@pytest.mark.parametrize(
    ("number", "name", "fields"),
    [
        ("", " ", {"number", "name"}),
        ("1200", "New", {"number"}),
        ("9999", "Accounts Receivable", {"name"}),
    ],
)
def test_number_and_name_are_given_and_free(app, number, name, fields):
    with pytest.raises(InvalidFields) as refusal:
        added(number, name)
    assert set(refusal.value.errors) == fields


def test_a_refused_change_leaves_the_account_as_it_was(app):
    account = added()

    with pytest.raises(InvalidFields):
        change_account(account, version=1, number="1200", name="Permits", active=False)

    assert (account.number, account.active) == ("4050", True)


def test_a_change_is_told_and_an_old_version_refused(app):
    account = added()
    change_account(account, version=1, number="4050", name="Permit fees", active=False)
    db.session.flush()

    assert trail_of(account)[0].changes == {
        "name": ["Permits", "Permit fees"],
        "active": [True, False],
    }
    assert account not in active_accounts(AccountKind.INCOME)
    with pytest.raises(Conflict):
        change_account(account, version=1, number="4050", name="Other", active=True)


@pytest.mark.parametrize("role", AccountRole)
def test_an_account_the_house_posts_to_stays_active(app, role):
    account = account_for(role)
    with pytest.raises(DomainError, match="posted to it automatically"):
        change_account(
            account, version=account.version, number=account.number, name=account.name,
            active=False,
        )  # fmt: skip


def test_accounts_are_found_by_number_name_and_kind(app):
    assert found(q="120") == ["1200"]
    assert found(q="receiv") == ["1200"]
    assert found(q="%") == []
    assert set(found(kind=AccountKind.EXPENSE)) == {"6100", "6200"}
