"""Backup and restore: one archive with a manifest of checksums."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3

# pg_dump and pg_restore, no shell
import subprocess  # nosec B404
import tarfile
import tempfile
from pathlib import Path

from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.settings import Settings

MANIFEST = "manifest.json"


def write_backup(settings: Settings, target: Path) -> None:
    """Database, files and key in one archive; a consistent copy even while the app writes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _dump_database(settings, folder)
        if (settings.data_dir / "files").is_dir():
            shutil.copytree(settings.data_dir / "files", folder / "files")
        if (settings.data_dir / "secret_key").is_file():
            shutil.copy(settings.data_dir / "secret_key", folder / "secret_key")
        sums = {str(path.relative_to(folder)): _sum(path) for path in _files(folder)}
        manifest = {"made_at": clock.now().isoformat(), "files": sums}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
        part = target.with_name(target.name + ".part")
        try:
            with tarfile.open(part, "w:gz") as archive:
                archive.add(folder, arcname=".")
            part.replace(target)
        finally:  # a full disk must not also keep the half of a backup
            part.unlink(missing_ok=True)


def read_backup(settings: Settings, source: Path, *, replace: bool) -> None:
    """Check every checksum, then put database, files and key in place.

    Raises DomainError when the archive is damaged, or there is data and `replace` is not set.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            with tarfile.open(source) as archive:
                # filtered
                archive.extractall(folder, filter="data")  # nosec B202
            manifest = json.loads((folder / MANIFEST).read_text())
        except (tarfile.TarError, OSError, ValueError, EOFError) as error:
            raise DomainError(f"This is not a backup of Fieldledger: {error}") from error
        for name, expected in manifest["files"].items():
            if not (folder / name).is_file() or _sum(folder / name) != expected:
                raise DomainError(f"The backup is damaged: {name} does not match its checksum.")
        _load_database(settings, folder, replace=replace)
        if (folder / "files").is_dir():
            shutil.copytree(folder / "files", settings.data_dir / "files", dirs_exist_ok=True)
        if (folder / "secret_key").is_file():
            shutil.copy(folder / "secret_key", settings.data_dir / "secret_key")


def _dump_database(settings: Settings, folder: Path) -> None:
    if settings.uses_sqlite:
        source = sqlite3.connect(_sqlite_file(settings))
        copy = sqlite3.connect(folder / "database.sqlite3")
        with source, copy:
            source.backup(copy)
        source.close()
        copy.close()
        return
    _run("pg_dump", "--format=custom", f"--file={folder / 'database.dump'}", _libpq(settings))


def _load_database(settings: Settings, folder: Path, *, replace: bool) -> None:
    if settings.uses_sqlite:
        target = _sqlite_file(settings)
        if target.exists() and not replace:
            raise DomainError("There is a database already. Add --replace to overwrite it.")
        if not (folder / "database.sqlite3").is_file():
            raise DomainError("This backup is of a PostgreSQL database.")
        for leftover in target.parent.glob(target.name + "-*"):
            leftover.unlink()
        shutil.copy(folder / "database.sqlite3", target)
        return
    if not (folder / "database.dump").is_file():
        raise DomainError("This backup is of an SQLite database.")
    options = ["--clean", "--if-exists"] if replace else ["--exit-on-error"]
    _run(
        "pg_restore",
        *options,
        "--no-owner",
        f"--dbname={_libpq(settings)}",
        str(folder / "database.dump"),
    )


def _run(*command: str) -> None:
    found = shutil.which(command[0])
    if found is None:
        raise DomainError(f"{command[0]} is not installed; it comes with the PostgreSQL client.")
    done = subprocess.run([found, *command[1:]], check=False, capture_output=True, text=True)  # noqa: S603  # nosec B603
    if done.returncode:
        raise DomainError(f"{command[0]} failed: {done.stderr.strip()}")


def _sqlite_file(settings: Settings) -> Path:
    return Path(settings.database_url.removeprefix("sqlite:///"))


def _libpq(settings: Settings) -> str:
    return settings.database_url.replace("postgresql+psycopg://", "postgresql://")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
