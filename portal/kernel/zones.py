"""Time zones of places and of telephone numbers; several where a place straddles a border.

Sources: the time zones of states and provinces, and the North American Numbering Plan. Whoever
must be reached at a decent hour is reached at one that is decent in all zones named here, so a
place too many does no harm.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EASTERN, CENTRAL = "America/New_York", "America/Chicago"
MOUNTAIN, PACIFIC, ARIZONA = "America/Denver", "America/Los_Angeles", "America/Phoenix"
ALASKA, HAWAII, ALEUTIANS = "America/Anchorage", "Pacific/Honolulu", "America/Adak"
ATLANTIC, NEWFOUNDLAND, CARIBBEAN = "America/Halifax", "America/St_Johns", "America/Puerto_Rico"
SASKATCHEWAN = "America/Regina"
Zones = frozenset[str]

_REGIONS: dict[tuple[str, ...], str] = {
    (EASTERN,): "CT DE DC GA ME MD MA NH NJ NY NC OH PA RI SC VT VA WV QC",
    (EASTERN, CENTRAL): "FL IN KY MI TN ON",
    (CENTRAL,): "AL AR IL IA LA MN MS MO OK WI MB",
    (CENTRAL, MOUNTAIN): "KS NE ND SD TX",
    (SASKATCHEWAN, MOUNTAIN): "SK",
    (MOUNTAIN,): "CO MT NM UT WY AB NT",
    (ARIZONA, MOUNTAIN): "AZ",
    (MOUNTAIN, PACIFIC): "ID OR NV BC",
    (PACIFIC,): "CA WA",
    (ALASKA, ALEUTIANS): "AK",
    (HAWAII,): "HI",
    (ATLANTIC,): "NS PE NB",
    (ATLANTIC, NEWFOUNDLAND): "NL",
    (EASTERN, CENTRAL, MOUNTAIN): "NU",
    (CARIBBEAN,): "PR VI",
    ("Pacific/Guam",): "GU MP",
    ("America/Whitehorse",): "YT",
}
_AREA_CODES: dict[tuple[str, ...], str] = {
    (EASTERN,): (
        "203 475 860 959 302 202 771 239 305 321 324 352 386 407 561 645 656 689 727 728 754 772 "
        "786 813 863 904 941 954 229 404 470 478 678 706 762 770 912 943 260 317 463 574 765 502 "
        "606 859 207 227 240 301 410 443 667 339 351 413 508 617 774 781 857 978 231 248 269 313 "
        "517 586 616 679 734 810 947 989 603 201 551 609 640 732 848 856 862 908 973 212 315 329 "
        "332 347 363 516 518 585 607 624 631 646 680 716 718 838 845 914 917 929 934 252 336 472 "
        "704 743 828 910 919 980 984 216 220 234 283 326 330 380 419 436 440 513 567 614 740 937 "
        "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878 401 803 821 839 843 854 864 "
        "865 802 276 434 540 571 686 703 757 804 826 948 304 681 263 354 367 418 438 450 468 514 "
        "579 581 819 873 226 249 289 343 365 382 416 437 519 548 613 647 683 705 742 753 905"
    ),
    (EASTERN, CENTRAL): "448 850 812 930 270 364 906 423 931 807",
    (CENTRAL,): (
        "205 251 256 334 659 938 327 479 501 870 217 224 309 312 331 447 464 618 630 708 730 773 "
        "779 815 847 861 872 319 515 563 641 712 316 913 225 318 337 457 504 985 218 320 507 612 "
        "651 763 924 952 228 601 662 769 235 314 417 557 573 636 660 816 975 402 531 405 539 572 "
        "580 918 615 629 731 901 210 214 254 281 325 346 361 409 430 469 512 682 713 726 737 806 "
        "817 830 832 903 936 940 945 956 972 979 262 274 353 414 534 608 715 920 219 204 431 584"
    ),
    (CENTRAL, MOUNTAIN): "308 432 605 620 701 785 915",
    (MOUNTAIN,): "303 719 720 970 983 406 505 575 385 435 801 307 368 403 587 780 825",
    (ARIZONA,): "480 520 602 623",
    (ARIZONA, MOUNTAIN): "928",
    (SASKATCHEWAN, MOUNTAIN): "306 474 639",
    (MOUNTAIN, PACIFIC): "208 986 775 458 541 236 250 257 672 778",
    (PACIFIC,): (
        "209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 "
        "661 669 707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951 702 725 503 "
        "971 206 253 360 425 509 564 604"
    ),
    (ALASKA, ALEUTIANS): "907",
    (HAWAII,): "808",
    (ATLANTIC,): "428 506 782 902",
    (ATLANTIC, NEWFOUNDLAND): "709 879",
    (CARIBBEAN,): "787 939 340",
    ("Pacific/Guam",): "671 670",
    (EASTERN, CENTRAL, MOUNTAIN, PACIFIC): "867",
}
_COUNTRIES = {  # calling code → zones; only those that lie in one or two
    "44": ("Europe/London",), "353": ("Europe/Dublin",), "33": ("Europe/Paris",),
    "49": ("Europe/Berlin",), "43": ("Europe/Vienna",), "41": ("Europe/Zurich",),
    "31": ("Europe/Amsterdam",), "32": ("Europe/Brussels",), "39": ("Europe/Rome",),
    "34": ("Europe/Madrid", "Atlantic/Canary"), "351": ("Europe/Lisbon", "Atlantic/Azores"),
    "45": ("Europe/Copenhagen",), "46": ("Europe/Stockholm",), "47": ("Europe/Oslo",),
    "48": ("Europe/Warsaw",), "420": ("Europe/Prague",), "52": (CENTRAL, MOUNTAIN, PACIFIC),
    "91": ("Asia/Kolkata",), "81": ("Asia/Tokyo",), "64": ("Pacific/Auckland",),
}  # fmt: skip


def _each(table: dict[tuple[str, ...], str]) -> dict[str, Zones]:
    return {one: frozenset(zones) for zones, names in table.items() for one in names.split()}


REGION_ZONES = _each(_REGIONS)
AREA_ZONES = _each(_AREA_CODES)


def zones_of_region(region: str, country: str = "US") -> Zones:
    """The zones of a state or province; empty when it is not known."""
    if country.strip().upper() not in ("", "US", "CA"):
        return frozenset()
    return REGION_ZONES.get(region.strip().upper(), frozenset())


def zones_of_phone(number: str) -> Zones:
    """The zones of a number such as +13125550100; empty for toll-free and unknown ones."""
    digits = number.removeprefix("+")
    if digits.startswith("1"):
        return AREA_ZONES.get(digits[1:4], frozenset())
    for length in (3, 2):
        if found := _COUNTRIES.get(digits[:length]):
            return frozenset(found)
    return frozenset()


def is_zone(name: str) -> bool:
    """Whether the machine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)
