"""HTML to PDF with WeasyPrint; the only module that imports it."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # nosec B405

from flask import current_app
from flask_babel import force_locale

from portal.documents.facturx import FILE_NAME, ElectronicData
from portal.documents.letterhead import Letterhead
from portal.documents.xmp import facturx_xmp
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.settings import ROOT

STYLES = ROOT / "static" / "documents"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
OPTIONAL_FONTS = {  # what people write → the package, and what such fonts are called elsewhere
    "Chinese, Japanese and Korean letters": (
        "fonts-noto-cjk", ("cjk", "pingfang", "hiragino", "wqy", "ipag", "nanum")
    ),
    "Emoji": ("fonts-noto-color-emoji", ("emoji",)),
}  # fmt: skip


class DocumentsUnavailable(DomainError):
    """A system library or every font is missing; the sentence names the packages."""


@cache
def _engine() -> tuple[Any, Any, Any]:
    """WeasyPrint, its font configuration and a fetcher that fetches nothing; once per process."""
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
    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    return weasyprint, fonts, fetcher


def colour_style(colour: str, text_colour: str) -> str:
    """The company's two colours as a style sheet, for PDFs and for the preview on screen."""
    return (
        f"html {{ color: {text_colour}; }}\n"
        f".head {{ border-top-color: {colour}; }}\n"
        f".due {{ border-left-color: {colour}; }}\n"
    )


@lru_cache(maxsize=16)
def _styles(names: tuple[str, ...], colour: str, text_colour: str) -> Any:
    """Paper, its size and the company's colours as one sheet: each is asked for each element.

    Parsed once per process: that costs more than a page.
    """
    weasyprint, fonts, _fetcher = _engine()
    sheets = [(STYLES / f"{name}.css").read_text() for name in names]
    whole = "\n".join([*sheets, colour_style(colour, text_colour)])
    return weasyprint.CSS(string=whole, font_config=fonts)


def render_pdf(
    template: str,
    *,
    language: str,
    head: Letterhead,
    paper: str = "letter",
    sheets: Sequence[str] = (),
    electronic: ElectronicData | None = None,
    tagged: bool = True,
    **context: Any,
) -> bytes:
    """A document template as PDF bytes; tagged, titled, and without any outside fetch.

    `sheets` are styles of this kind of document beside those of all. With `electronic` it is a
    PDF/A-3 that carries the Factur-X file, else PDF/UA; what will be merged, which loses the tags,
    need not be `tagged`.
    Raises DocumentsUnavailable when libraries or fonts are missing.
    """
    weasyprint, fonts, fetcher = _engine()
    with force_locale(language):
        html = current_app.jinja_env.get_template(template).render(
            language=language, head=head, **context
        )
    page = _parsed(html, fetcher)
    with _collecting_later():
        pdf: bytes | None = page.write_pdf(
            stylesheets=[_styles(("paper", paper, *sheets), head.colour, head.text_colour)],
            font_config=fonts,
            **(_variant(weasyprint, fetcher, electronic) if tagged else {}),
        )
    if not pdf:
        raise DocumentsUnavailable(
            "The PDF came out empty. Is a font installed, e.g. fonts-dejavu-core?"
        )
    return pdf


def _parsed(html: str, fetcher: Any) -> Any:
    """The page as WeasyPrint takes it.

    Our templates are XML too, which is parsed far quicker; what people typed may hold
    characters that XML forbids, so the parser of HTML takes those.
    """
    import weasyprint
    from cssselect2 import ElementWrapper  # type: ignore[import-untyped]

    try:
        # Entities are those of our own templates: there are none.
        root = ElementTree.fromstring(html.lstrip())  # noqa: S314  # nosec B314
    except ElementTree.ParseError:
        return weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=None)
    page = weasyprint.HTML.__new__(weasyprint.HTML)
    page.base_url, page.url_fetcher, page.media_type = None, fetcher, "print"
    page.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
    page.etree_element = root
    return page


def _variant(weasyprint: Any, fetcher: Any, electronic: ElectronicData | None) -> dict[str, Any]:
    if electronic is None:
        return {"pdf_variant": "pdf/ua-1"}
    now = clock.now()
    attachment = weasyprint.Attachment(
        string=electronic.xml,
        name=FILE_NAME,
        description="Factur-X, EN 16931",
        relationship="Alternative",
        created=now,
        modified=now,
        url_fetcher=fetcher,
    )
    return {
        "pdf_variant": "pdf/a-3a",  # level A is tagged, as PDF/UA is
        "attachments": [attachment],
        "xmp_metadata": [io.BytesIO(facturx_xmp(FILE_NAME))],
    }


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


def forget_layouts() -> None:
    """Give back the memory of documents made so far.

    Their boxes refer to each other in circles and outlive them; who makes many large ones in a
    row says when one is done.
    """
    gc.collect()


def has_fonts() -> bool:
    """Whether any scalable font is installed; `doctor` asks."""
    return any(True for _ in _font_files())


def fonts_to_add() -> dict[str, str]:
    """What prints as boxes on this machine, and the package that has a font for it."""
    names = [path.name.lower() for path in _font_files()]
    return {
        letters: package
        for letters, (package, marks) in OPTIONAL_FONTS.items()
        if not any(mark in name for name in names for mark in marks)
    }


def _font_files() -> Iterator[Path]:
    for folder in FONT_FOLDERS:
        if Path(folder).is_dir():
            yield from Path(folder).rglob("*.[to]t[fc]")
