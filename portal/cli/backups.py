"""Backup and restore: one archive with a manifest of checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.cli.databases import dump_database, is_there, load_database, refuse_unfit
from portal.cli.placing import before_restore, copy_beside, put_in_place, told_in_words
from portal.cli.plain import is_full
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.settings import Settings, make_data_dir

MANIFEST = "manifest.json"
SCRATCH = ".restoring-"


def write_backup(settings: Settings, target: Path) -> None:
    """Database, files and key in one archive for this user alone, also while the app writes.

    Raises DomainError when it cannot be written; an older archive of that name stays then.
    """
    part = target.with_name(target.name + ".part")
    with (
        told_in_words("No backup was written."),
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch,
    ):
        # The database first: every file its rows name is there by now.
        contents = {dump.name: dump for dump in [dump_database(settings, Path(scratch))]}
        contents |= _kept_files(settings)
        sums = {name: _sum(path) for name, path in contents.items()}
        manifest = Path(scratch) / MANIFEST
        manifest.write_text(
            json.dumps({"made_at": clock.now().isoformat(), "files": sums}, indent=1)
        )
        try:
            _pack({**contents, MANIFEST: manifest}, part)
            put_in_place(part, target)
        finally:  # a full disk must not also keep the half of a backup
            part.unlink(missing_ok=True)


def read_backup(settings: Settings, source: Path, *, replace: bool) -> None:
    """Unpack and check everything beside the live data, then put it in place.

    The files come first: their names are their content, so more of them harm nothing. The
    database comes last, in one step. Raises DomainError when the archive is damaged, when the
    disk is full, or when there is data and `replace` is not set; nothing was changed then.
    """
    with told_in_words("Nothing was changed."):
        make_data_dir(settings.data_dir)
        for left in settings.data_dir.glob(f"{SCRATCH}*"):  # by a restore that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=SCRATCH) as scratch:
            folder = Path(scratch)
            _check(folder, _unpack(source, folder))
            refuse_unfit(settings, folder, replace=replace)
            replaces = is_there(settings)
            _place_files(folder / "files", settings.data_dir / "files")
            with _key_in_place(folder / "secret_key", settings.data_dir / "secret_key"):
                load_database(settings, folder)
            if not replaces:  # the key this empty folder made for itself protects nothing
                before_restore(settings.data_dir / "secret_key").unlink(missing_ok=True)


def _kept_files(settings: Settings) -> dict[str, Path]:
    """Name in the archive and place; what is just being written begins with `tmp`."""
    files = [
        path
        for path in _files(settings.data_dir / "files")
        if not path.name.startswith("tmp") and not path.name.endswith(".restoring")
    ]
    found = {str(path.relative_to(settings.data_dir)): path for path in files}
    if (settings.data_dir / "secret_key").is_file():
        found["secret_key"] = settings.data_dir / "secret_key"
    return found


def _pack(contents: dict[str, Path], target: Path) -> None:
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, path in contents.items():
                archive.add(path, arcname=name)
        file.flush()
        os.fsync(file.fileno())


def _unpack(source: Path, folder: Path) -> dict[str, str]:
    """Everything into the folder; returns what the manifest says of it."""
    try:
        with tarfile.open(source) as archive:
            archive.extractall(folder, filter="data")
        return dict(json.loads((folder / MANIFEST).read_text())["files"])
    except (tarfile.TarError, OSError, ValueError, EOFError, KeyError, TypeError,
            zlib.error) as error:  # fmt: skip
        if is_full(error):
            raise
        raise DomainError(f"This is not a backup of Fieldledger: {error}") from error


def _check(folder: Path, sums: dict[str, str]) -> None:
    """The archive holds just what its manifest names, unchanged."""
    found = {str(path.relative_to(folder)): path for path in _files(folder)}
    del found[MANIFEST]
    for name in sorted(found.keys() | sums.keys()):
        if name not in sums:
            raise DomainError(f"The backup is damaged: {name} is not in its manifest.")
        if name not in found or found[name].is_symlink() or _sum(found[name]) != sums[name]:
            raise DomainError(f"The backup is damaged: {name} does not match its checksum.")


def _place_files(source: Path, target: Path) -> None:
    for path in _files(source):
        place = target / path.relative_to(source)
        if place.is_file() and _sum(place) == _sum(path):
            continue
        with copy_beside(path, place) as staged:
            put_in_place(staged, place)


@contextmanager
def _key_in_place(source: Path, target: Path) -> Iterator[None]:
    """The backup's key is there inside; when what happens inside fails, the old one is back."""
    if not source.is_file() or (target.is_file() and _sum(source) == _sum(target)):
        yield
        return
    kept = before_restore(target)
    kept.unlink(missing_ok=True)
    if target.is_file():
        os.link(target, kept)
    source.chmod(0o600)
    put_in_place(source, target)
    try:
        yield
    except BaseException:
        if kept.is_file():
            put_in_place(kept, target)
        else:
            target.unlink()
        raise


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
