"""Composition root: one Flask app, two faces.

flask serve                   (web and worker under one supervisor)
gunicorn 'wsgi:make_app()'    (web alone)
"""

from typing import Any

from flask import Flask

import customer
import staff
from portal import factory  # not create_app: `flask run` would call it with no faces


def make_app(**settings: Any) -> Flask:
    """The whole app; keyword settings override the environment's (tests use that)."""
    return factory.create_app(faces=(staff.face, customer.face), **settings)
