"""Kills at a place differ by their number: before or after it, how far in, killed again or not."""


def pytest_generate_tests(metafunc):
    """A place is struck as often as `--kills` says; PostgreSQL itself half as often per journey."""
    kills = metafunc.config.getoption("--kills")
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", range(kills))
    if "fall" in metafunc.fixturenames:
        metafunc.parametrize("fall", range((kills + 1) // 2))
