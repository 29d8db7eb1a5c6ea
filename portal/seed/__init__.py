"""What a fresh database needs, and the demo company."""

from portal.seed.founding import found_company

__all__ = ["found_company"]
