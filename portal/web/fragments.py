"""One template, two sizes: the whole page, or the one block that changed."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Response, current_app, flash, make_response, redirect, render_template, url_for
from jinja2 import Environment, nodes

from portal.web.htmx import is_htmx, wants_fragment


def render_page(
    template: str, *, fragment: str | None = None, status: int = 200, **context: Any
) -> Response:
    """Render the page, or just the block `fragment` when htmx asked for part of it."""
    if fragment and wants_fragment():
        body = _render_block(template, fragment, context)
    else:
        body = render_template(template, **context)
    response = make_response(body, status)
    response.vary.add("HX-Request")
    return response


def redirect_to(endpoint: str, **values: Any) -> Response:
    """See other: after a form was saved. htmx is told by header, since it follows redirects."""
    url = url_for(endpoint, **values)
    if is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    return make_response(redirect(url, 303))


def notify(sentence: str, kind: str = "success") -> None:
    """A sentence for the top of the next page; kind is success, warning or danger."""
    flash(sentence, kind)


def _render_block(template: str, block: str, context: dict[str, Any]) -> str:
    current_app.update_template_context(context)
    env = current_app.jinja_env
    loaded = env.get_template(template)
    for source, names in _imports(env, template):
        module = env.get_template(source).module
        context.update({alias: getattr(module, name) for name, alias in names})
    scope = loaded.new_context(context)
    return "".join(loaded.blocks[block](scope))


@cache
def _imports(env: Environment, template: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The macros a template imports on top: a block rendered alone needs them too."""
    source = env.loader.get_source(env, template)[0] if env.loader else ""
    found = []
    for node in env.parse(source).body:
        if isinstance(node, nodes.FromImport) and isinstance(node.template, nodes.Const):
            pairs = [name if isinstance(name, tuple) else (name, name) for name in node.names]
            found.append((str(node.template.value), pairs))
    return found
