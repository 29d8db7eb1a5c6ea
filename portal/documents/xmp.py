"""What a hybrid invoice says about itself in its XMP metadata (Factur-X 1.0, section 6)."""

from __future__ import annotations

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
UA = "http://www.aiim.org/pdfua/ns/id/"

FX_PROPERTIES = (
    ("DocumentFileName", "Text", "external", "name of the embedded XML invoice file"),
    ("DocumentType", "Text", "external", "the kind of document: INVOICE"),
    ("Version", "Text", "external", "version of the embedded data's format"),
    ("ConformanceLevel", "Text", "external", "profile of the embedded data"),
)
UA_PROPERTIES = (("part", "Integer", "internal", "part of ISO 14289 the file follows"),)


def facturx_xmp(file_name: str) -> bytes:
    """The RDF that names the embedded file and its profile, and declares PDF/UA as well.

    PDF/A allows properties it does not know only with a description of their schema.
    """
    schemas = _schema("Factur-X PDFA Extension Schema", FX, "fx", FX_PROPERTIES)
    schemas += _schema("PDF/UA identification schema", UA, "pdfuaid", UA_PROPERTIES)
    return f"""<rdf:RDF xmlns:rdf="{RDF}" xmlns:fx="{FX}" xmlns:pdfuaid="{UA}"
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<rdf:Description rdf:about=""><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
<fx:DocumentFileName>{file_name}</fx:DocumentFileName><fx:DocumentType>INVOICE</fx:DocumentType>
<fx:Version>1.0</fx:Version></rdf:Description>
<rdf:Description rdf:about=""><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about=""><pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag>
</pdfaExtension:schemas></rdf:Description>
</rdf:RDF>""".encode()


def _schema(
    title: str, namespace: str, prefix: str, properties: tuple[tuple[str, str, str, str], ...]
) -> str:
    rows = "".join(
        f"""<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>
<pdfaProperty:valueType>{kind}</pdfaProperty:valueType>
<pdfaProperty:category>{category}</pdfaProperty:category>
<pdfaProperty:description>{meaning}</pdfaProperty:description></rdf:li>"""
        for name, kind, category, meaning in properties
    )
    return f"""<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{title}</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{rows}</rdf:Seq></pdfaSchema:property></rdf:li>"""
