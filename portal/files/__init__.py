"""Files people bring in: checked, re-encoded, content-addressed, outside the web root."""

from portal.files.keeping import KeptFile, keep_bytes, keep_logo, keep_photo, open_file, thumbnail

__all__ = ["KeptFile", "keep_bytes", "keep_logo", "keep_photo", "open_file", "thumbnail"]
