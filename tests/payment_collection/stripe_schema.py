"""Whether a request fits the SDK's own parameter types, which are made from Stripe's API.

Names Stripe does not know, at any depth, and values of another kind are what it would refuse.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import stripe
from stripe import params
from stripe.params import checkout

KINDS = {  # method and path → the type of what may be sent
    r"post /v1/customers": params.CustomerCreateParams,
    r"post /v1/checkout/sessions": checkout.SessionCreateParams,
    r"get /v1/checkout/sessions/[^/]+": checkout.SessionRetrieveParams,
    r"post /v1/payment_intents": params.PaymentIntentCreateParams,
    r"post /v1/payment_intents/[^/]+/confirm": params.PaymentIntentConfirmParams,
    r"post /v1/payment_intents/[^/]+/cancel": params.PaymentIntentCancelParams,
    r"get /v1/payment_intents/[^/]+": params.PaymentIntentRetrieveParams,
    r"get /v1/payment_methods/[^/]+": params.PaymentMethodRetrieveParams,
    r"post /v1/payment_methods/[^/]+/detach": params.PaymentMethodDetachParams,
    r"post /v1/refunds": params.RefundCreateParams,
    r"get /v1/refunds": params.RefundListParams,
    r"get /v1/refunds/[^/]+": params.RefundRetrieveParams,
    r"get /v1/mandates/[^/]+": params.MandateRetrieveParams,
}


def misfits_of_request(method: str, path: str, form: str) -> list[str]:
    """Everything in a request that Stripe would refuse; empty when it fits."""
    kind = next((kind for at, kind in KINDS.items() if re.fullmatch(at, f"{method} {path}")), None)
    if kind is None:
        return [f"{method} {path} is no request we know"]
    return misfits(nested(form), kind, path)


def nested(form: str) -> dict[str, Any]:
    """a[b][0]=c as Stripe reads it: {"a": {"b": ["c"]}}."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *outer, last = re.findall(r"[^\[\]]+", name)
        place = tree
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    return _lists(tree)


def _lists(thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    if thing and all(name.isdigit() for name in thing):
        return [_lists(thing[name]) for name in sorted(thing, key=int)]
    return {name: _lists(value) for name, value in thing.items()}


def misfits(sent: Any, kind: Any, where: str) -> list[str]:
    """What of `sent` does not fit `kind`."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (NotRequired, Required):
        return misfits(sent, args[0], where)
    if origin in (Union, types.UnionType):
        tries = [misfits(sent, one, where) for one in args if one is not type(None)]
        return min(tries, key=len)
    if origin is list:
        if not isinstance(sent, list):
            return [f"{where} is no list"]
        return [bad for one in sent for bad in misfits(one, args[0], f"{where}[]")]
    if origin is dict:
        return [] if isinstance(sent, dict) else [f"{where} is no mapping"]
    if origin is Literal:
        return [] if sent in args else [f"{where}: {sent!r} is none of {len(args)} words"]
    if hasattr(kind, "__required_keys__"):
        return _misfits_of_fields(sent, kind, where)
    return _misfits_of_value(sent, kind, where)


def _misfits_of_fields(sent: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(sent, dict):
        return [f"{where} is no mapping"]
    names = {**vars(stripe), **vars(params), **vars(checkout)}
    names |= {"StripeContext": str, "Mapping": Mapping}  # of the options every request takes
    hints = get_type_hints(kind, localns=names, include_extras=True)
    missing = [f"{where}.{name} is missing" for name in kind.__required_keys__ if name not in sent]
    return missing + [
        bad
        for name, value in sent.items()
        for bad in (
            misfits(value, hints[name], f"{where}.{name}")
            if name in hints
            else [f"{where}.{name} is not known"]
        )
    ]


def _misfits_of_value(sent: Any, kind: Any, where: str) -> list[str]:
    fits = {
        int: lambda: isinstance(sent, str) and re.fullmatch(r"-?\d+", sent),
        bool: lambda: sent in ("true", "false"),
        str: lambda: isinstance(sent, str),
    }
    known = fits.get(kind)
    return [] if known is None or known() else [f"{where}: {sent!r} is no {kind.__name__}"]
