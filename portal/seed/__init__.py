"""What a fresh database needs, and the demo company."""

from portal.seed.demo import demo_sign_ins, seed_demo
from portal.seed.founding import found_company

__all__ = ["demo_sign_ins", "found_company", "seed_demo"]
