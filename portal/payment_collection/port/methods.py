"""Cards and bank accounts the gateway keeps, and charging them while nobody is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from portal.kernel.money import Money
from portal.payment_collection.port.checkouts import CheckoutSeen, CheckoutState, OpenedCheckout


@dataclass(frozen=True)
class PayerOrder:
    """A customer as the gateway shall know them. `reference` makes repeating safe."""

    reference: str
    name: str
    email: str = ""


@dataclass(frozen=True)
class SetupOrder:
    """What we ask for to save a method. `reference` is the setup's public id."""

    reference: str
    customer_ref: str
    currency: str
    return_url: str
    locale: str = "en"


@dataclass(frozen=True)
class MethodSeen:
    """A kept method; `usable` is false once it was detached or its mandate ended."""

    method_ref: str
    customer_ref: str
    kind: str  # card or bank_debit
    brand: str = ""
    last4: str = ""
    expires_on: date | None = None  # the last day of the card's last month
    usable: bool = True


@dataclass(frozen=True)
class SetupSeen:
    """The gateway's truth about one visit that should save a method."""

    state: CheckoutState
    reference: str
    session_ref: str
    method: MethodSeen | None = None
    failure: str = ""


@dataclass(frozen=True)
class ChargeOrder:
    """One charge of a saved method. `reference` is the attempt's public id."""

    reference: str
    amount: Money
    currency: str
    customer_ref: str
    method_ref: str
    description: str


class SavedMethods(Protocol):
    """A charge is created without being confirmed and its reference kept; so after a crash it
    is looked up, never made twice. Repeating any order with the same reference is safe.

    A refused card is an answer (`CheckoutSeen.state` FAILED with the words), not an
    OutsideFailure; so is one whose owner must confirm in person ("requires action").
    """

    def know_payer(self, order: PayerOrder) -> str: ...

    def open_setup(self, order: SetupOrder) -> OpenedCheckout: ...

    def look_up_setup(self, session_ref: str) -> SetupSeen: ...

    def look_up_method(self, method_ref: str) -> MethodSeen: ...

    def look_up_mandate(self, mandate_ref: str) -> MethodSeen: ...

    def forget_method(self, method_ref: str) -> None: ...

    def prepare_charge(self, order: ChargeOrder) -> str: ...

    def confirm_charge(self, payment_ref: str, reference: str) -> CheckoutSeen: ...

    def look_up_charge(self, payment_ref: str) -> CheckoutSeen: ...

    def cancel_charge(self, payment_ref: str) -> CheckoutSeen: ...
