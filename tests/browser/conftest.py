"""A real browser before a real server, on a database of its own."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.builders import Build
from tests.conftest import staff_client

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

POLICY = "Content Security Policy"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing in CI")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    """The app on a free port; its own links name that port."""
    from dataclasses import replace

    served = make_server("127.0.0.1", 0, app, threaded=True)
    address = f"http://127.0.0.1:{served.server_port}"
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, base_url=address)
    app.extensions["gateway"]._base_url = address
    thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield address
    served.shutdown()
    thread.join()
    served.server_close()
    app.config["SETTINGS"] = before
    app.extensions["gateway"]._base_url = before.base_url


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    """A tab of somebody nobody knows; a script error or a broken policy fails the test."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=server)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_default_timeout(10_000)
    yield tab
    context.close()
    assert errors == []


@pytest.fixture
def desk(chromium: Browser, server: str, app: Flask, build: Build) -> Iterator[Page]:
    """The tab of an administrator; a script error or a broken policy fails the test."""
    cookie = staff_client(app, build, "Administrator").get_cookie("fieldledger_staff")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, base_url=server)
    context.add_cookies([{"name": "fieldledger_staff", "value": cookie.value, "url": server}])
    tab = context.new_page()
    tab.set_default_timeout(10_000)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda line: errors.append(line.text) if POLICY in line.text else None)
    yield tab
    context.close()
    assert errors == []
