"""What somebody else changed while a form was open."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from portal.audit import trail_since
from portal.kernel.errors import Conflict, DomainError
from portal.models import AuditEntry, Invoice


def meanwhile(invoice: Invoice, error: DomainError) -> Sequence[AuditEntry]:
    """The trail since the form was shown, when that is why it was refused.

    The form says where the trail ended then (`seen_trail`).
    """
    if not isinstance(error, Conflict):
        return []
    return trail_since(invoice, request.form.get("seen_trail", ""))
