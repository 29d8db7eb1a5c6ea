"""Photos of a job."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.files import open_file, thumbnail
from portal.jobs import attach_upload, share_photo
from portal.kernel.errors import InvalidFields
from portal.web import needs, redirect_to, signed_in_user
from staff.choices import row_of
from staff.jobs import job_of

bp = Blueprint("photos", __name__, url_prefix="/jobs/<int:job_id>/photos")


@bp.post("")
@needs(Ability.EDIT_JOBS)
def create(job_id: int) -> Response:
    upload = request.files.get("photo")
    if upload is None or not upload.filename:
        raise InvalidFields({"photo": _("Choose a photo first.")})
    attach_upload(
        job_of(job_id), upload.stream, name=upload.filename[:200], by=signed_in_user(),
        caption=request.form.get("caption", "")[:200],
    )  # fmt: skip
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.post("/<int:photo_id>/sharing")
@needs(Ability.EDIT_JOBS)
def share(job_id: int, photo_id: int) -> Response:
    job = job_of(job_id)
    photo = row_of(job.photos, photo_id)
    share_photo(job, photo, shared=not photo.shared)
    return redirect_to("staff.jobs.show", job_id=job_id)


@bp.get("/<int:photo_id>.jpg")
@needs(Ability.VIEW_JOBS)
def show(job_id: int, photo_id: int) -> Response:
    photo = row_of(job_of(job_id).photos, photo_id)
    try:
        small = request.args.get("size") == "small"
        content = thumbnail(photo.file.key) if small else open_file(photo.file.key)
    except OSError:
        abort(404)
    return Response(content, mimetype="image/jpeg")
