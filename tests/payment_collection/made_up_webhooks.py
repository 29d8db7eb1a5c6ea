"""Bodies and signature headers nobody should ever send, made up from a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**400, -(10**19), float("inf"), "", "\0", "\ud800", "é" * 300,
    "x" * 10_000, [], {}, [[]], {"id": {}}, [None] * 50, "'; DROP TABLE payments; --",
    "../../etc/passwd", "1e309", "NaN", {"metadata": []}, {"object": {"object": {}}},
)  # fmt: skip
HEADERS = (
    "", "t=1", "v1=00", "t=,v1=", "t=x,v1=y", "=,=", ",,,,", "t=" + "9" * 400 + ",v1=" + "0" * 64,
    "v0=" + "0" * 64, "\x7f", "é", "0" * 64, "f" * 5_000, "t=-1,v1=" + "a" * 64,
)  # fmt: skip


def bodies(random: Random, valid: list[dict[str, Any]]) -> Iterator[bytes]:
    """Without end: noise, valid ones with one thing wrong, deep, huge and broken JSON."""
    while True:
        yield random.choice(KINDS)(random, valid)


def _noise(random: Random, _valid: list[dict[str, Any]]) -> bytes:
    return random.randbytes(random.randint(0, 400))


def _mutated(random: Random, valid: list[dict[str, Any]]) -> bytes:
    """A wrong type at any path, a name that is missing, or one too many."""
    event = deepcopy(random.choice(valid))
    event["id"] = f"evt_{random.getrandbits(64)}"
    for _ in range(random.randint(1, 3)):
        place, name = random.choice(list(_places(event)))
        match random.randint(0, 2):
            case 0:
                place[name] = deepcopy(random.choice(ODD))
            case 1 if isinstance(place, dict):
                place.pop(name)
            case _:
                place[name] = [place[name]] * random.randint(0, 3)
        if not event:
            break
    return json.dumps(event).encode()


def _places(thing: Any) -> Iterator[tuple[Any, Any]]:
    pairs = thing.items() if isinstance(thing, dict) else enumerate(thing)
    for name, value in list(pairs):
        yield thing, name
        if isinstance(value, dict | list):
            yield from _places(value)


def _broken(random: Random, valid: list[dict[str, Any]]) -> bytes:
    """Bytes of a valid one changed, cut off, doubled or of another encoding."""
    body = bytearray(json.dumps(random.choice(valid)).encode())
    match random.randint(0, 3):
        case 0:
            for _ in range(random.randint(1, 8)):
                body[random.randrange(len(body))] = random.randrange(256)
        case 1:
            del body[random.randrange(len(body)) :]
        case 2:
            body.extend(bytes(body))
        case _:
            return bytes(body).decode().encode(random.choice(["utf-16", "utf-32", "utf-8-sig"]))
    return bytes(body)


def _deep(random: Random, _valid: list[dict[str, Any]]) -> bytes:
    depth = random.choice([10, 900, 5_000, 60_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"data":', b"}")])
    return opening * depth + b"1" + closing * random.choice([0, depth])


def _huge(random: Random, valid: list[dict[str, Any]]) -> bytes:
    digits = "9" * random.choice([20, 400, 5_000])
    event = json.dumps(random.choice(valid))
    return event.replace('"payment_intent.succeeded"', digits).replace("80", digits).encode()


KINDS: tuple[Callable[[Random, list[dict[str, Any]]], bytes], ...] = (
    _noise, _mutated, _mutated, _mutated, _broken, _deep, _huge,
)  # fmt: skip
