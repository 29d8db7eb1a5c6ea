"""From words with placeholders to what the recipient reads: text, and blocks for HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import current_app
from flask_babel import force_locale
from markupsafe import Markup, escape

from portal.company import company
from portal.outbox.placeholders import Values, fill, said, says_nothing
from portal.outbox.wording import Words
from portal.settings import Settings

BUTTON = re.compile(r"(?P<label>[^{}]*?)\s*:?\s*\{pay_link\}")
FIGURE = re.compile(r"(?P<label>[^{}]*?)\s*:?\s*\{balance\}")
SEE_AND_PAY = {"en": "See and pay", "es": "Ver y pagar", "fr": "Voir et payer"}


@dataclass(frozen=True)
class Block:
    """One part of a mail: words, the button to pay, or the amount due in large figures."""

    kind: str
    text: str
    label: str = ""
    url: str = ""

    @property
    def html(self) -> Markup:
        """The words escaped, line breaks kept, and our own addresses to press."""
        return Markup("<br>").join(_linked(line) for line in self.text.splitlines())


@dataclass(frozen=True)
class Letter:
    """A message with every placeholder filled; `notice` is the house's, not editable."""

    subject: str
    blocks: Sequence[Block]
    text: str
    notice: str = ""

    def html(self, language: str) -> str:
        """The mail in the company's frame; what people typed cannot become markup."""
        template = current_app.jinja_env.get_template("messages/written.html")
        with force_locale(language):
            return template.render(
                blocks=self.blocks, notice=self.notice, language=language, company=company()
            )


def write_letter(words: Words, values: Values, language: str, *, notice: str = "") -> Letter:
    """Fill the words for one recipient.

    A line with a placeholder that is empty here is left out. A line that is nothing but a label
    and {pay_link} becomes a button in the mail, one with {balance} the large figure.
    """
    given = said(values, language)
    paragraphs = [
        [line for line in paragraph.splitlines() if not says_nothing(line, given)]
        for paragraph in re.split(r"\n\s*\n", words.body)
    ]
    blocks: list[Block] = []
    for lines in paragraphs:
        blocks += _blocks(lines, given, language)
    texts = ["\n".join(fill(line, given).rstrip() for line in lines) for lines in paragraphs]
    text = "\n\n".join(one for one in [*texts, notice] if one.strip())
    subject = " ".join(fill(words.subject, given).split())
    return Letter(subject, blocks, text + "\n", notice)


def _blocks(lines: Sequence[str], given: Mapping[str, str], language: str) -> list[Block]:
    blocks: list[Block] = []
    for line in lines:
        text = fill(line, given).rstrip()
        if found := BUTTON.fullmatch(line.strip()):
            label = found["label"].strip() or SEE_AND_PAY.get(language, SEE_AND_PAY["en"])
            blocks.append(Block("button", text, label, given["pay_link"]))
        elif found := FIGURE.fullmatch(line.strip()):
            blocks.append(Block("figure", given["balance"], found["label"].strip()))
        elif blocks and blocks[-1].kind == "words":
            blocks[-1] = Block("words", f"{blocks[-1].text}\n{text}")
        else:
            blocks.append(Block("words", text))
    return [block for block in blocks if block.text.strip()]


def _linked(line: str) -> Markup:
    """Only addresses of this installation become links: what others typed stays words."""
    settings: Settings = current_app.config["SETTINGS"]
    parts = re.split(rf"({re.escape(settings.base_url)}/\S+)", line)
    link = Markup('<a href="{0}">{0}</a>')
    return Markup("").join(
        link.format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )
