"""Two web and two worker processes on PostgreSQL and Redis; one worker is killed in mid-task."""

from __future__ import annotations

import http.cookiejar
import re
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from bench.house import Figure, house
from bench.servers import environment, free_port, start_web, start_worker, stopping
from portal.access import PersonWords, add_person, roles, staff_link
from portal.audit import verify_audit
from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db, in_transaction
from portal.invoices import (
    LineWords,
    ManualInvoice,
    add_lines,
    pay_link_url,
    start_manual_invoice,
)
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import verify_books
from portal.models import GatewayEvent, Invoice, Message, MessageState, Payment

ENGINES = ("postgresql",)
JOURNEYS, CUSTOMERS = 80, 8


class Browser:
    """A person's browser: cookies, redirects, and the token of the last page."""

    def __init__(self, base: str) -> None:
        jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open
        self._base, self.page = base, ""

    def get(self, path: str) -> None:
        with self._open(self._absolute(path), timeout=60) as answer:
            self.page = answer.read().decode()

    def post(self, path: str, **form: object) -> None:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.page)
        assert token, "the page has no form"
        body = urllib.parse.urlencode({**form, "csrf_token": token[1]}).encode()
        with self._open(self._absolute(path), body, timeout=60) as answer:
            self.page = answer.read().decode()

    def _absolute(self, path: str) -> str:
        return path if path.startswith("http") else self._base + path


def measure(engine: str, *, size: int) -> list[Figure]:
    if shutil.which("redis-server") is None:
        return [Figure("scale-out", engine, "", "no loss", "redis-server is not installed")]
    redis_port, ports = free_port(), [free_port(), free_port()]
    bases = [f"http://127.0.0.1:{port}" for port in ports]
    with house(engine, BASE_URL=bases[0], REDIS_URL=f"redis://127.0.0.1:{redis_port}/0") as app:
        links = in_transaction(_prepare)
        staff = in_transaction(_staff_links)
        db.session.remove()
        envs = [environment(app, REDIS_URL=app.config["SETTINGS"].redis_url, BASE_URL=base)
                for base in bases]  # fmt: skip
        with stopping(_redis(redis_port, Path(envs[0]["DATA_DIR"]))):
            webs = [start_web(env, port) for env, port in zip(envs, ports, strict=True)]
            with stopping(*webs):
                seconds, wait = _work(app, bases, envs, staff, links)
        _check()
    return [
        Figure("2 web + 2 workers: post, pay, receipt", engine, f"{JOURNEYS} journeys over HTTP",
               "no lost or doubled work",
               f"{JOURNEYS} payments, receipts and books right, {JOURNEYS / seconds:.0f} /s"),
        Figure("… worker killed in mid-task", engine, "SIGKILL while it holds rows",
               "taken over", f"all done {wait:.0f} s later"),
    ]  # fmt: skip


def _work(
    app: Flask, bases: list[str], envs: list[dict[str, str]], staff: list[str], links: list[str]
) -> tuple[float, float]:
    doomed = start_worker(envs[0])
    started = time.perf_counter()
    offices = [_sign_in(base, link) for base, link in zip(bases, staff, strict=True)]
    with ThreadPoolExecutor(8) as pool:
        journeys = [
            pool.submit(_journey, offices[n % 2], bases[(n + 1) % 2], number, links[n])
            for n, number in enumerate(range(1, JOURNEYS + 1))
        ]
        _wait_until(lambda: _stopped_in_mid_task(doomed), 60)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
        killed = time.perf_counter()
        with stopping(start_worker(envs[0]), start_worker(envs[1])):
            for journey in journeys:
                journey.result()
            seconds = time.perf_counter() - started
            _wait_until(_is_all_done, 300)
    return seconds, time.perf_counter() - killed


def _prepare() -> list[str]:
    """Pending invoices of a few customers, and the guest link of each."""
    links = []
    people = []
    for n in range(CUSTOMERS):
        customer = add_customer(CustomerWords(name=f"Payer {n}", email=f"payer{n}@example.org"))
        add_contact(customer, ContactWords(name=f"Payer {n}", email=f"payer{n}@example.org"))
        people.append(customer)
    for n in range(JOURNEYS):
        invoice = start_manual_invoice(ManualInvoice(customer=people[n % CUSTOMERS]))
        db.session.flush()
        add_lines(invoice, [LineWords("Labor", Quantity.of(1), UnitPrice.of(80 + n))])
        links.append(pay_link_url(invoice))
    return [urllib.parse.urlsplit(link).path for link in links]


def _staff_links() -> list[str]:

    role = next(one for one in roles() if one.name == "Administrator")
    people = [add_person(PersonWords(f"Clerk {n}", f"clerk{n}@example.org", role)) for n in (1, 2)]
    db.session.flush()
    tokens = [staff_link(person, lifetime=timedelta(hours=1)) for person in people]
    return [f"/staff/sign-in/link/{token}" for token in tokens]


def _sign_in(base: str, link: str) -> Browser:
    browser = Browser(base)
    browser.get(link)
    browser.post(link)
    return browser


def _journey(office: Browser, base: str, invoice_id: int, link: str) -> None:
    """The clerk posts and sends; the customer pays by the link on the other web process."""
    clerk = Browser(base)
    clerk._open, clerk._base = office._open, office._base
    clerk.get(f"/staff/invoices/{invoice_id}")
    asked = clerk.get(f"/staff/invoices/{invoice_id}/posting")
    seen = re.search(r'name="seen" value="([^"]+)"', asked)
    assert seen is not None
    clerk.post(f"/staff/invoices/{invoice_id}/posting", confirmed="yes", seen=seen[1])
    version = int(seen[1].partition(".")[2]) + 1
    clerk.post(
        f"/staff/invoices/{invoice_id}/sending", confirmed="yes", seen=f"{invoice_id}.{version}"
    )
    payer = Browser(base)
    payer.get(link)
    payer.post(link, which="all")
    found = re.search(r'action="([^"]*/test-gateway/checkout/[^"]*/succeed)"', payer.page)
    assert found, payer.page[:500]
    payer.post(found[1])


def _stopped_in_mid_task(worker: subprocess.Popen[bytes]) -> bool:
    """Hold the worker still and look whether it holds a row; else let it go on."""
    worker.send_signal(signal.SIGSTOP)
    if _held():
        return True
    worker.send_signal(signal.SIGCONT)
    return False


def _held() -> int:
    """Rows a worker holds at this moment."""
    count = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Message)
        .where(Message.claimed_until.is_not(None), Message.state == MessageState.WAITING)
    )
    events = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(GatewayEvent)
        .where(GatewayEvent.claimed_until.is_not(None), GatewayEvent.state == "waiting")
    )
    db.session.rollback()
    return (count or 0) + (events or 0)


def _is_all_done() -> bool:
    waiting = db.session.scalar(
        sa.select(sa.func.count()).select_from(GatewayEvent).where(GatewayEvent.state == "waiting")
    )
    mails = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Message)
        .where(Message.state.in_([MessageState.WAITING, MessageState.SENDING]))
    )
    db.session.rollback()
    return not waiting and not mails


def _wait_until(done: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():  # type: ignore[operator]
            return
        time.sleep(0.02)
    raise RuntimeError("it did not come to an end")


def _check() -> None:
    counts = {
        "payments": sa.select(sa.func.count(Payment.id)),
        "paid": sa.select(sa.func.count(Invoice.settled_on)),
        "receipts": sa.select(sa.func.count()).where(Message.kind == "receipt"),
        "sent": sa.select(sa.func.count()).where(Message.kind == "invoice"),
    }
    found = {name: db.session.scalar(query) for name, query in counts.items()}
    assert set(found.values()) == {JOURNEYS}, found
    numbers = db.session.scalars(sa.select(Invoice.document_number)).all()
    assert len(set(numbers)) == JOURNEYS, "a number is missing or doubled"
    last = max(int(number.rsplit("-", 1)[1]) for number in numbers if number)
    assert last == JOURNEYS, f"the numbers have gaps: {last}"
    assert verify_books() == []
    assert verify_audit() == []


def _redis(port: int, folder: Path) -> subprocess.Popen[bytes]:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--dir", str(folder)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    return process
