"""Storing uploads: nothing but re-encoded pixels of known formats is ever kept as a picture."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import current_app
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.kernel.errors import DomainError, InvalidFields
from portal.settings import Settings

LARGEST = 10 * 1024 * 1024
LONGEST_SIDE = 2000
MOST_PIXELS = 50_000_000  # what phones take; decoded, four bytes each
TOO_MANY = "This picture has more than 50 megapixels. Make it smaller, then bring it again."
FORMATS = ("JPEG", "PNG", "WEBP")
_KEY = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{2,5}")


@dataclass(frozen=True)
class KeptFile:
    """Where a file lies and what it is; `key` names it for ever."""

    key: str
    content_type: str
    size: int
    width: int = 0
    height: int = 0


def keep_photo(upload: IO[bytes]) -> KeptFile:
    """Keep a JPEG, PNG or WebP of at most 10 MB as a JPEG without metadata.

    Re-encoding drops everything that is not pixels: scripts, positions, broken chunks. Raises
    InvalidFields with a sentence for anything else.
    """
    image = _open_image(upload, (LONGEST_SIDE, LONGEST_SIDE))
    return _keep_image(image.convert("RGB"), "JPEG", "jpg", "image/jpeg")


def keep_logo(upload: IO[bytes]) -> KeptFile:
    """Keep a logo as PNG, at most 600 pixels wide, transparency kept."""
    image = _open_image(upload, (600, 300))
    return _keep_image(image.convert("RGBA"), "PNG", "png", "image/png")


def keep_bytes(content: bytes, suffix: str, content_type: str) -> KeptFile:
    """Keep bytes as they are; the same bytes are kept once."""
    key = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
    _write(_path(key), content)
    return KeptFile(key, content_type, len(content))


def open_file(key: str) -> bytes:
    """The bytes of a kept file; OSError when it is gone."""
    return _path(key).read_bytes()


def thumbnail(key: str, *, side: int = 320) -> bytes:
    """A small JPEG of a kept photo."""
    with Image.open(io.BytesIO(open_file(key))) as image:
        image.thumbnail((side, side))
        small = io.BytesIO()
        image.convert("RGB").save(small, "JPEG", quality=80)
    return small.getvalue()


def _open_image(upload: IO[bytes], box: tuple[int, int]) -> Image.Image:
    """Decoded no larger than needed, fitted into the box, turned the way it was taken."""
    content = upload.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidFields({"photo": "This file is larger than 10 MB."})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise InvalidFields({"photo": TOO_MANY})
            # Smaller before it is turned: a JPEG is then even decoded at a fraction of its size.
            turned_box = box if image.getexif().get(0x0112, 1) < 5 else box[::-1]
            image.thumbnail(turned_box)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidFields({"photo": TOO_MANY}) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InvalidFields(
            {"photo": "This is not a picture we can read. Use a JPEG, PNG or WebP file."}
        ) from error
    turned: Image.Image = ImageOps.exif_transpose(image)
    return turned


def _keep_image(image: Image.Image, form: str, suffix: str, content_type: str) -> KeptFile:
    encoded = io.BytesIO()
    image.save(encoded, form, quality=85, optimize=True)
    kept = keep_bytes(encoded.getvalue(), suffix, content_type)
    return KeptFile(kept.key, content_type, kept.size, image.width, image.height)


def _path(key: str) -> Path:
    if not _KEY.fullmatch(key):
        raise FileNotFoundError(key)
    settings: Settings = current_app.config["SETTINGS"]
    return settings.data_dir / "files" / key[:2] / key


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a temporary file, flushed, then renamed."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.unlink(file.name)
                raise
        os.replace(file.name, path)
    except OSError as error:
        raise DomainError(
            f"The file could not be saved on the server: {error.strerror}."
        ) from error
