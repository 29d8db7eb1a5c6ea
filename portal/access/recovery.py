"""Recovery codes, and turning the second factor off again."""

from __future__ import annotations

import re
import secrets

import sqlalchemy as sa

from portal.access.people import end_sign_ins_of_user
from portal.access.roles import require_not_above
from portal.access.second_factor import check_code
from portal.access.sign_ins import digest
from portal.audit import record
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import RecoveryCode, User

HOW_MANY = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that look alike


def make_recovery_codes(user: User) -> list[str]:
    """Ten new codes of 59 bits, shown this once; all older ones stop working."""
    if not user.has_second_factor:
        raise DomainError("Turn the second factor on first.")
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["".join(secrets.choice(LETTERS) for _ in range(12)) for _ in range(HOW_MANY)]
    db.session.add_all([RecoveryCode(user_id=user.id, code_hash=digest(code)) for code in codes])
    record("recovery codes", user, f"{user.name} got new recovery codes.")
    return ["-".join(re.findall("....", code)) for code in codes]


def recovery_codes_left(user: User) -> int:
    unused = sa.select(sa.func.count()).where(
        RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(unused) or 0


def pass_second_factor(user: User, typed: str) -> bool:
    """Whether this is the app's code or an unused recovery code, which it uses up.

    Count the tries before calling.
    """
    return check_code(user, typed) or _use_recovery_code(user, typed)


def turn_off_second_factor(user: User, code: str) -> None:
    """Sign in without a code again. Raises InvalidFields for a wrong code."""
    if not user.has_second_factor:
        raise DomainError("Your second factor is not on.")
    if not pass_second_factor(user, code):
        raise InvalidFields({"code": "This code does not fit or was already used."})
    _forget(user)
    record("second factor off", user, f"{user.name} turned the second factor off.")


def reset_second_factor(user: User, *, by: User | None = None) -> None:
    """Let somebody in who lost phone and codes; their browsers are signed out.

    NotAllowed when this person may do what `by` may not.
    """
    require_not_above(user, by)
    if not user.has_second_factor:
        raise DomainError(f"{user.name} has no second factor.")
    _forget(user)
    end_sign_ins_of_user(user)
    record("second factor off", user, f"The second factor of {user.name} was reset.")


def _use_recovery_code(user: User, typed: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", typed.lower())
    used = db.session.scalar(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == digest(plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    )
    if used is None:
        return False
    left = recovery_codes_left(user)
    record("recovery code used", user, f"{user.name} used a recovery code; {left} are left.")
    return True


def _forget(user: User) -> None:
    user.totp_secret, user.totp_confirmed_at, user.totp_last_step = "", None, 0
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
