"""What a caller would rather have: the weights of an Accept header, of media types and languages alike."""


def parse_accept(accept: str) -> dict[str, float]:
    """Range in lower case → quality, 0 to 1 (RFC 9110 §12.4.2). A range with a malformed quality is left out."""
    ranges: dict[str, float] = {}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        try:
            value = float(quality)
        except ValueError:
            continue
        if 0.0 <= value <= 1.0:
            ranges[name] = value
    return ranges


def prefers_html(accept: str) -> bool:
    """Whether a browser asks: it names text/html, likes nothing better, and does not like JSON as well."""
    ranges = parse_accept(accept)
    html = ranges.get("text/html", 0.0)
    return 0.0 < html == max(ranges.values()) and ranges.get("application/json", 0.0) < html
