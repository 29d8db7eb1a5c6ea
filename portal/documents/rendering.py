"""HTML to PDF with WeasyPrint; the only module that imports it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import force_locale

from portal.kernel.errors import DomainError
from portal.settings import ROOT

STYLES = ROOT / "static" / "documents"


class DocumentsUnavailable(DomainError):
    """A system library or every font is missing; the sentence names the packages."""


@cache
def _engine(paper: str) -> tuple[Any, Any, Any, Any]:
    """WeasyPrint, its font configuration, our style sheets and a fetcher that fetches nothing.

    Read once per process and paper size: parsing them costs more than a page.
    """
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise DocumentsUnavailable(
            "PDFs cannot be made: a system library is missing. Install libpango-1.0-0, "
            f"libpangoft2-1.0-0 and libharfbuzz-subset0. ({error})"
        ) from error
    fonts = FontConfiguration()
    sheets = [
        weasyprint.CSS(filename=str(STYLES / name), font_config=fonts)
        for name in ("paper.css", f"{paper}.css")
    ]
    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    return weasyprint, fonts, sheets, fetcher


def render_pdf(
    template: str, *, language: str, paper: str = "letter", tagged: bool = True, **context: Any
) -> bytes:
    """A document template as PDF bytes; tagged, titled, and without any outside fetch.

    Raises DocumentsUnavailable when libraries or fonts are missing.
    """
    weasyprint, fonts, sheets, fetcher = _engine(paper)
    with force_locale(language):
        html = current_app.jinja_env.get_template(template).render(language=language, **context)
    page = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=None)
    with _collecting_later():
        pdf: bytes | None = page.write_pdf(
            stylesheets=sheets,
            font_config=fonts,
            pdf_variant="pdf/ua-1" if tagged else None,
            pdf_identifier=b"fieldledger",
        )
    if not pdf:
        raise DocumentsUnavailable(
            "The PDF came out empty. Is a font installed, e.g. fonts-dejavu-core?"
        )
    return pdf


@contextmanager
def _collecting_later() -> Iterator[None]:
    """A page makes enough objects to set off full collections, which walk all that is loaded."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def has_fonts() -> bool:
    """Whether any scalable font is installed; `doctor` asks."""
    return any(
        next(Path(folder).rglob("*.[to]tf"), None) is not None
        for folder in ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
        if Path(folder).is_dir()
    )
