"""Every entry leads to a screen, and every screen lights up an entry."""

import re

import pytest
from flask import url_for

import staff
from staff.nav_entries import FOLDED, GROUPS, PART_OF
from tests.conftest import staff_client

ENDPOINTS = [endpoint for _, entries in GROUPS + FOLDED for _, _, endpoint, _ in entries]
# They are reached from the top bar or from everywhere, and belong to nothing.
NOWHERE = {"staff.account", "staff.search", "staff.sign_in", "staff.style_guide"}


def here(page):
    return re.findall(r'href="([^"]*)" aria-current="page">\s*<i class="ti[^>]*nav-link-icon', page)


def opened(page):
    folds = re.findall(r'<details class="nav-group-fold"( open)?>.*?<span>([^<]+)', page)
    return {title for is_open, title in folds if is_open}


def test_every_entry_has_a_screen_of_its_own(app):
    assert set(ENDPOINTS) <= set(app.view_functions)
    assert len(ENDPOINTS) == len(set(ENDPOINTS))


@pytest.mark.parametrize("screen", [f"staff.{one.bp.name}" for one in staff.SCREENS])
def test_every_screen_belongs_to_one_entry(screen):
    parents = {one.rpartition(".")[0] for one in ENDPOINTS}
    assert (screen in NOWHERE) or PART_OF.get(screen, screen) in parents


def test_every_entry_is_marked_on_its_own_page(app, office):
    for endpoint in ENDPOINTS:
        with app.test_request_context():
            address = url_for(endpoint)
        assert here(office.get(address).text) == [address]


def test_what_is_seldom_needed_is_folded_until_it_is_here(office):
    daily = {"Invoices", "Money in", "Money back", "Receivables", "Accounting"}
    assert opened(office.get("/staff/").text) == daily
    assert opened(office.get("/staff/outbox").text) == daily | {"Tools"}


def test_a_group_of_one_needs_no_title(app, build):
    page = staff_client(app, build, "Technician").get("/staff/").text

    assert "Price book" in page
    assert "nav-group-fold" not in page
