import pytest

from portal.cli.backups import write_backup
from tests.cli.houses import furnished_house


@pytest.fixture
def kept(tmp_path):
    """An archive of a furnished house, and the key of its one file."""
    settings, key = furnished_house(tmp_path / "old", "Kept")
    archive = tmp_path / "kept.tar.gz"
    write_backup(settings, archive)
    return archive, key
