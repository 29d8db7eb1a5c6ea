"""Only re-encoded pixels of known formats are kept; a full disk leaves nothing half-written."""

import errno
import io

import pytest
from PIL import Image

from portal.files import keep_bytes, keep_logo, keep_photo, open_file
from portal.kernel.errors import DomainError, InvalidFields


def picture(form="PNG", size=(60, 40), **more):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form, **more)
    file.seek(0)
    return file


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_photo_becomes_a_clean_jpeg(app, form):
    kept = keep_photo(picture(form))

    assert kept.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(open_file(kept.key))).format == "JPEG"


def test_metadata_and_trailing_bytes_are_dropped(app):
    exif = Image.Exif()
    exif[0x010E] = "GPS of a home"
    upload = picture("JPEG", exif=exif)
    upload = io.BytesIO(upload.getvalue() + b"<script>alert(1)</script>")

    content = open_file(keep_photo(upload).key)

    assert b"GPS of a home" not in content
    assert b"<script>" not in content


def test_a_large_photo_is_made_smaller(app):
    kept = keep_photo(picture(size=(5000, 3000)))
    assert (kept.width, kept.height) == (2000, 1200)


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg onload=alert(1)>", b"<html>", b"GIF89a broken", b"\x89PNG\r\n\x1a\n broken"],
)
def test_what_is_no_picture_is_refused_in_words(app, content):
    with pytest.raises(InvalidFields, match="JPEG, PNG or WebP"):
        keep_photo(io.BytesIO(content))


def test_ten_megabytes_are_enough(app):
    with pytest.raises(InvalidFields, match="10 MB"):
        keep_photo(io.BytesIO(b"\xff" * (10 * 1024 * 1024 + 1)))


def test_a_full_disk_is_told_and_leaves_nothing(app, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("portal.files.keeping.os.fsync", full)
    with pytest.raises(DomainError, match="No space left"):
        keep_bytes(b"words", "txt", "text/plain")
    monkeypatch.undo()

    folder = app.config["SETTINGS"].data_dir / "files"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "x.jpg", ""])
def test_a_key_never_leads_out_of_the_folder(app, key):
    with pytest.raises(FileNotFoundError):
        open_file(key)


@pytest.mark.parametrize("size", [(9000, 9000), (12000, 12000)])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_unpacked(app, size):
    upload = io.BytesIO()
    Image.new("1", size).save(upload, "PNG")
    upload.seek(0)

    with pytest.raises(InvalidFields, match="more than 50 megapixels"):
        keep_photo(upload)


def test_a_photo_taken_upright_is_turned_after_it_was_made_smaller(app):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    kept = keep_photo(picture("JPEG", size=(4000, 1000), exif=exif))
    assert (kept.width, kept.height) == (500, 2000)


def test_a_logo_taken_upright_fits_its_box(app):
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = keep_logo(picture("JPEG", size=(400, 2000), exif=exif))
    assert (kept.width, kept.height) == (600, 120)
