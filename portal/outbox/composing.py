"""Words of a message from its templates, in the recipient's language."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_babel import force_locale


def compose(name: str, *, language: str = "en", **context: Any) -> tuple[str, str, str]:
    """(subject, text, html) from templates/messages/<name>.subject.txt, .txt and .html.

    Works outside a request; line breaks never reach the subject.
    """
    with force_locale(language):
        env = current_app.jinja_env
        context = {**context, "language": language}
        subject = env.get_template(f"messages/{name}.subject.txt").render(context)
        text = env.get_template(f"messages/{name}.txt").render(context)
        html = env.get_template(f"messages/{name}.html").render(context)
    return " ".join(subject.split()), text.strip() + "\n", html
