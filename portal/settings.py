"""The only module that reads the environment; everything else is handed a `Settings`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Every knob of an installation; the README's table is tested against these fields."""

    app_env: str
    secret_key: str
    base_url: str
    data_dir: Path
    database_url: str
    redis_url: str
    smtp_url: str
    mail_from: str
    stripe_secret_key: str
    stripe_webhook_secret: str
    stripe_api_base: str
    allow_test_gateway: bool
    web_workers: int
    trusted_proxies: int

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def uses_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment, with defaults that make a fresh clone run.

    Raises ValueError when production lacks a secret key.
    """
    env = os.environ if environ is None else environ
    app_env = env.get("APP_ENV", "development")
    data_dir = Path(env.get("DATA_DIR", str(ROOT / "var"))).resolve()
    return Settings(
        app_env=app_env,
        secret_key=env.get("SECRET_KEY") or _own_secret(data_dir, app_env),
        base_url=env.get("BASE_URL", "http://127.0.0.1:5000").rstrip("/"),
        data_dir=data_dir,
        database_url=_database_url(env.get("DATABASE_URL", ""), data_dir),
        redis_url=env.get("REDIS_URL", ""),
        smtp_url=env.get("SMTP_URL", ""),
        mail_from=env.get("MAIL_FROM", ""),
        stripe_secret_key=env.get("STRIPE_SECRET_KEY", ""),
        stripe_webhook_secret=env.get("STRIPE_WEBHOOK_SECRET", ""),
        stripe_api_base=env.get("STRIPE_API_BASE", ""),
        allow_test_gateway=env.get("ALLOW_TEST_GATEWAY", "") == "1",
        web_workers=int(env.get("WEB_WORKERS", "2")),
        trusted_proxies=int(env.get("TRUSTED_PROXIES", "0")),
    )


def with_address(settings: Settings, host: str, port: int) -> Settings:
    """The same settings, with links to where the server really listens unless BASE_URL says so."""
    if "BASE_URL" in os.environ:
        return settings
    return replace(settings, base_url=f"http://{host}:{port}")


def environment_for_children(settings: Settings) -> dict[str, str]:
    """Our environment for processes we start, naming the address we were told to use."""
    return {**os.environ, "BASE_URL": settings.base_url}


def _database_url(given: str, data_dir: Path) -> str:
    if not given:
        return f"sqlite:///{data_dir / 'fieldledger.sqlite3'}"
    for prefix in ("postgres://", "postgresql://"):
        if given.startswith(prefix):
            return "postgresql+psycopg://" + given.removeprefix(prefix)
    return given


def _own_secret(data_dir: Path, app_env: str) -> str:
    """A key of this installation's own, made once; production must name its own."""
    if app_env == "production":
        raise ValueError("Set SECRET_KEY: production does not start with a made-up key.")
    path = data_dir / "secret_key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
