"""python -m bench [money|batches|pages|pdf|aging|statements|…] [--engine …]"""

from __future__ import annotations

import argparse
import importlib
import sys

from bench.house import Figure, print_table

PARTS = (
    "money", "batches", "pages", "pdf", "aging", "statements", "collections", "scoring",
    "webhooks", "payers", "scale_out",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--size", type=int, default=100_000, help="invoices behind the pages")
    wanted = parser.parse_args()
    figures: list[Figure] = []
    for part in wanted.parts:
        module = importlib.import_module(f"bench.{part}")
        for engine in module.ENGINES if wanted.engine is None else wanted.engine:
            print(f"… {part} on {engine}", file=sys.stderr, flush=True)
            figures += module.measure(engine, size=wanted.size)
    print_table(figures)


if __name__ == "__main__":
    main()
