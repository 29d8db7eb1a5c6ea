"""Sales tax: zones, which postal code suggests which, and the computation itself."""

from portal.taxes.computing import ComputedTax, TaxableLine, compute_taxes
from portal.taxes.postal import (
    ZoneSuggestion,
    map_postal_code,
    postal_patterns,
    shared_patterns,
    suggest_zone,
    suggest_zones,
    unmap_postal_code,
)
from portal.taxes.zones import (
    RateWords,
    active_zones,
    add_zone,
    change_zone,
    find_zones,
    get_zone,
    zone_of,
)

__all__ = [
    "ComputedTax",
    "RateWords",
    "TaxableLine",
    "ZoneSuggestion",
    "active_zones",
    "add_zone",
    "change_zone",
    "compute_taxes",
    "find_zones",
    "get_zone",
    "map_postal_code",
    "postal_patterns",
    "shared_patterns",
    "suggest_zone",
    "suggest_zones",
    "unmap_postal_code",
    "zone_of",
]
