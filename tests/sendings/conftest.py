"""Two workers at the same moment, as in tests/concurrency."""

from tests.concurrency.conftest import at_once  # noqa: F401
