"""Five journeys that are cut off at any place: how they begin, go on, and what must hold."""

from tests.crash.journeys import autopaying, mailing, numbering, paying, refunding
from tests.crash.journeys.journey import Journey, print_quickly, work

JOURNEYS = {
    one.name: one
    for one in (
        paying.JOURNEY,
        autopaying.JOURNEY,
        refunding.JOURNEY,
        numbering.JOURNEY,
        mailing.JOURNEY,
    )
}

__all__ = ["JOURNEYS", "Journey", "print_quickly", "work"]
