"""What can go wrong, in words a person can act on.

A DomainError is a refusal: its message is shown to the user as written, and nothing was changed.
NeedsConfirmation is a warning one may override. Anything else is broken and logged with a code.
"""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """The request was understood and refused. `field` names the form field it belongs to."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidTransition(DomainError):
    """The record is in a state from which this verb does not lead on."""


class PeriodClosed(DomainError):
    """The accounting period of that date is closed."""


class Conflict(DomainError):
    """Somebody else changed it first."""


class NotAllowed(DomainError):
    """The person's role lacks the ability."""


class NotFound(DomainError):
    """No such record, or not one this person may see; shown as 404 either way."""


class InvalidFields(DomainError):
    """Several fields are wrong at once; `errors` maps field name to sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


class NeedsConfirmation(DomainError):
    """Allowed, but ask first; repeat the request with `code` among the confirmed ones."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class OutsideFailure(Exception):
    """Something beyond our walls failed.

    `permanent` says that trying again cannot help, `missing` that the thing asked for is
    definitely not there.
    """

    def __init__(self, message: str, *, permanent: bool = False, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing
        self.permanent = permanent
