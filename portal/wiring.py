"""Who reacts to what: the one list of subscriptions, tasks and registered documents."""

from __future__ import annotations

from flask import Flask

from portal.kernel.events import wire


def wire_house(app: Flask) -> None:
    """Install every subscription; called once per app."""
    wire({})
