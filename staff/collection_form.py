"""What every form about a case of collections has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.models import (
    DunningCase,
)
from portal.web import (
    Form,
    OnceField,
)


class CaseForm(Form):
    """A form about one case; `prepare` fills its lists, `act` carries it out."""

    once = OnceField()

    def prepare(self, case: DunningCase) -> None:
        """Fill what is chosen from."""

    def act(self, case: DunningCase) -> Any:
        """Do it; returns the sentence to show."""
        raise NotImplementedError

    @property
    def shown(self) -> Sequence[Any]:
        hidden = ("csrf_token", "once", "version", "confirmed")
        return [one for one in self if one.name not in hidden]
