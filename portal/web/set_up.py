"""Everything the faces share, installed on the app."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import jinja2
from babel import numbers
from flask import Flask, current_app, has_request_context, request
from flask_babel import format_decimal, get_locale
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.company import (
    company,
    format_day,
    format_instant,
    format_money,
    format_month,
    format_quantity,
    format_rate,
    today,
)
from portal.kernel.money import Money
from portal.kernel.numbers import FixedPoint, Rate
from portal.settings import Settings
from portal.web.brand import brand
from portal.web.errors import set_up_errors, tell_error
from portal.web.fields import words_of
from portal.web.guards import current_payer, guard_faces
from portal.web.headers import set_up_headers
from portal.web.htmx import set_up_htmx
from portal.web.listing import IdConverter, asked_for, url_with
from portal.web.transaction import set_up_transactions
from portal.web.translating import locale_name, set_up_translations

LANGUAGES = ("en", "es", "fr")


def set_up(app: Flask) -> None:
    """Install headers, transactions, guards, CSRF, errors, languages and template words."""
    settings: Settings = app.config["SETTINGS"]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=False,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.url_map.converters["int"] = IdConverter
    set_up_htmx(app)
    set_up_headers(app)
    set_up_transactions(app)
    guard_faces(app, CSRFProtect(app))
    set_up_errors(app)
    app.before_request(_refuse_other_sites)
    set_up_translations(app, choose_locale)
    app.extensions["outer limit"] = Limiter(
        get_remote_address,
        app=app,
        application_limits=["600 per minute"],
        storage_uri=settings.redis_url or "memory://",
        enabled=settings.is_production,
    )
    app.register_blueprint(brand)
    _words_for_templates(app)


def choose_locale() -> str:
    """The customer's language in the portal, the company's locale in the office."""
    if has_request_context():
        asked = request.args.get("lang") or request.cookies.get("lang")
        if asked in LANGUAGES:
            return asked
        payer = current_payer()
        if payer and payer.language in LANGUAGES:
            return payer.language
        if not request.path.startswith("/staff"):
            return request.accept_languages.best_match(LANGUAGES) or "en"
    return str(company().locale)


def _words_for_templates(app: Flask) -> None:
    env = app.jinja_env
    env.undefined = jinja2.StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(
        money=money, day=day, instant=instant, quantity=quantity, rate=rate, price=price,
        words=words_of, paragraphs=paragraphs, month=month, number=format_decimal,
    )  # fmt: skip
    env.globals.update(
        company=company, today=today, url_with=url_with, asked_for=asked_for,
        house_notices=list, nav_counts=dict,
        asset=asset, get_locale=get_locale,
    )  # fmt: skip


def asset(path: str) -> str:
    """The address of a static file, changing when the file does."""
    version = current_app.extensions.setdefault("asset versions", {})
    if path not in version:
        file = f"{current_app.static_folder}/{path}"
        try:
            with open(file, "rb") as opened:
                version[path] = hashlib.sha256(opened.read()).hexdigest()[:10]
        except OSError:
            version[path] = "0"
    return f"/static/{path}?v={version[path]}"


def money(amount: Money) -> str:
    return format_money(amount, locale_name(), company().currency)


def day(value: date | None, style: str = "medium") -> str:
    return format_day(value, locale_name(), style) if value else "—"


def month(value: date) -> str:
    return format_month(value, locale_name())


def instant(value: datetime | None) -> str:
    return format_instant(value, locale_name(), company().zone) if value else "—"


def quantity(value: FixedPoint | Decimal) -> str:
    return format_quantity(value.value if isinstance(value, FixedPoint) else value, locale_name())


def price(value: FixedPoint | Decimal) -> str:
    """A unit price: two decimals, more only where they are not zero."""
    number = value.value if isinstance(value, FixedPoint) else value
    return str(
        numbers.format_currency(
            number,
            company().currency,
            format="¤#,##0.00##",
            locale=locale_name(),
            currency_digits=False,
        )
    )


def rate(value: Rate) -> str:
    return format_rate(value.value, locale_name())


def paragraphs(text: str) -> Markup:
    """Line breaks kept, everything else escaped."""
    return Markup("<br/>").join(text.splitlines())


def _refuse_other_sites() -> Any:
    """A form of another site cannot post here, whatever token it carries (ASVS 3.5)."""
    changes = request.method not in ("GET", "HEAD", "OPTIONS")
    foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if changes and foreign and not request.path.startswith("/webhooks/"):
        return tell_error("This form came from another site.", 400)
    return None
