"""One-time codes of an authenticator app (TOTP)."""

from __future__ import annotations

import pyotp

from portal.access.people import end_sign_ins_of_user
from portal.audit import record
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import User

STEP = 30


def begin_second_factor(user: User, *, issuer: str) -> str:
    """Make a new secret, not yet in force; returns the otpauth:// address to scan.

    DomainError once it is in force: a secret that guards an account is never shown again.
    Nobody enrols with one that somebody else may have seen earlier.
    """
    if user.has_second_factor:
        raise DomainError("Your second factor is already on.", field="code")
    user.totp_secret = pyotp.random_base32()
    db.session.flush()
    return enrolment_address(user, issuer=issuer)


def enrolment_address(user: User, *, issuer: str) -> str:
    """The otpauth:// address of the secret that waits to be confirmed; DomainError without one."""
    if user.has_second_factor:
        raise DomainError("Your second factor is already on.", field="code")
    if not user.totp_secret:
        raise DomainError("Begin again: there is no code to scan yet.", field="code")
    return pyotp.TOTP(user.totp_secret).provisioning_uri(name=user.email, issuer_name=issuer)


def confirm_second_factor(user: User, code: str, *, keep_token: str = "") -> None:
    """From now on a code is asked for at each sign-in. Raises InvalidFields for a wrong one.

    Every other browser of the person is signed out: it got in without a code.
    """
    if user.has_second_factor:
        raise DomainError("Your second factor is already on.", field="code")
    if not check_code(user, code):
        raise InvalidFields({"code": "This code does not fit. Check the clock of your phone."})
    user.totp_confirmed_at = clock.now()
    end_sign_ins_of_user(user, keep_token=keep_token)
    record("second factor on", user, f"{user.name} turned the second factor on.")


def check_code(user: User, code: str) -> bool:
    """Whether the code fits now or a step ago; each code works once, none without a secret.

    The sign-in counts the tries before it loads the person: counting has a transaction of its
    own, and SQLite has one writer.
    """
    if not user.totp_secret:
        return False
    totp = pyotp.TOTP(user.totp_secret)
    step = int(clock.now().timestamp()) // STEP
    for one in (step, step - 1):
        if one > user.totp_last_step and pyotp.utils.strings_equal(
            code.strip(), totp.generate_otp(one)
        ):
            user.totp_last_step = one
            return True
    return False
