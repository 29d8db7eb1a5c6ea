"""The left navigation by job, not by table, and the notices nobody may overlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import gettext as _

from portal.payment_collection import gateway, has_gateway
from portal.reports import waiting_counts
from portal.settings import Settings
from portal.web import current_user
from staff.nav_entries import FOLDED, GROUPS, PART_OF


@dataclass(frozen=True)
class NavEntry:
    title: str
    icon: str
    url: str
    is_here: bool
    count: int


@dataclass(frozen=True)
class NavGroup:
    """Entries under a title that can be folded; without a title they stand by themselves."""

    title: str
    entries: Sequence[NavEntry]
    is_open: bool

    @property
    def count(self) -> int:
        return sum(one.count for one in self.entries)


@dataclass(frozen=True)
class Notice:
    """A bar across the page; `public` ones customers see too."""

    kind: str
    sentence: str
    public: bool = False


def staff_nav() -> list[NavGroup]:
    """The groups this person may see, with counts beside what waits."""
    user = current_user()
    if user is None:
        return []
    counts = waiting_counts()
    every = [(group, True) for group in GROUPS] + [(group, False) for group in FOLDED]
    here = _here([endpoint for (_, entries), _ in every for _, _, endpoint, _ in entries])
    groups = []
    for (title, entries), usual in every:
        mine = [
            NavEntry(name, icon, url_for(endpoint), endpoint == here, counts.get(endpoint, 0))
            for name, icon, endpoint, ability in entries
            if ability in user.role.abilities
        ]
        if mine:
            alone = len(mine) == 1  # a title above one entry says nothing
            is_open = usual or any(one.is_here for one in mine)
            groups.append(NavGroup("" if alone else title, mine, is_open))
    return groups


def _here(endpoints: Sequence[str]) -> str:
    """The entry for this page: its own, else the first one of its section."""
    asked = request.endpoint or ""
    screen = asked.rpartition(".")[0]
    section = PART_OF.get(screen, screen)
    near = [one for one in endpoints if one.rpartition(".")[0] == section]
    return asked if asked in near else next(iter(near), "")


def house_notices() -> list[Notice]:
    """Loud words about an installation that moves no money or sends no mail."""
    settings: Settings = current_app.config["SETTINGS"]
    notices = []
    if has_gateway() and not gateway().livemode:
        notices.append(
            Notice(
                "danger", _("TEST GATEWAY – no money moves, nothing here is a real payment."), True
            )
        )
    if not settings.smtp_url and request.path.startswith("/staff"):
        notices.append(
            Notice(
                "warning", _("No mail server is set up: messages are kept in the outbox, not sent.")
            )
        )
    return notices
