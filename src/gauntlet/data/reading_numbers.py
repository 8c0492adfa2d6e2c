"""Texts that are numbers, whatever is written around and between their digits."""

from __future__ import annotations

import re

from gauntlet.data.reading import (
    CLOCK,
    CODE,
    COMMA,
    COMPARED,
    CURRENCY,
    DECIMAL_COMMA,
    GROUPS,
    LONG,
    MAGNITUDE,
    NUMBERED,
    PARENTHESES,
    PERCENT,
    PLAIN,
    SIGNED,
    THOUSANDS,
    UNIT,
    WORD,
    Reading,
)

SYMBOLS = "$¢£¤¥֏؋৳฿៛\u20a0-\u20bf﷼﹩＄￠￡￥￦"
"""Unicode's currency symbols, for a character class."""
CURRENCIES = (
    "usd|eur|gbp|jpy|chf|cny|inr|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|brl|mxn|krw|try|zar|sgd|hkd|ils|aed|thb|idr|myr|"
    "php|twd|rub|uah|ron|bgn|clp|cop|pen|ars|egp|ngn|kes|vnd|sar|qar|pkr"
)
LOCAL = r"Rs\.?|rs\.?|Re\.?|RM|Rp\.?|R|kr\.?|Kr\.?|zł|Kč|Ft|Fr\.?|SFr\.?|lei|S/\.?|руб\.?|грн\.?"
"""What a currency is called at home; before a whole number only with a space, as R12 is a code (and R 12)."""

_EXACT_DIGITS = 18
_PHONE_DIGITS = 8
_LISTED_UNITS = """
kg mg µg μg ug ng lb lbs oz km cm mm µm nm ft mi yd sqft sqm m² m2 m³ m3 km² km2 cm² cm2 ml dl cl gal ms ns µs us sec
secs second seconds min mins minute minutes hr hrs hour hours day days week weeks month months yr yrs year years °C °F °
deg kW kWh MW MWh mA mV kV Wh Hz kHz MHz GHz kB KB MB GB TB km/h mph kph m/s bar mbar hPa kPa MPa Pa psi dB kcal cal kJ
px ppm ppb bps rpm bpm
"""
_UNITS = frozenset(_LISTED_UNITS.split())
_ORDINALS = frozenset({"st", "nd", "rd", "th"})

_NUMBER = re.compile(
    rf"""
    (?P<open>\()? (?P<compare>(?:<=|>=|[<>≤≥~≈])\s?)? (?P<sign>[-+−–]\s?)?
    (?P<before>(?:(?:[A-Z]{{1,3}})?[{SYMBOLS}]|(?i:{CURRENCIES})\b|(?:{LOCAL})(?=[\s\d.,]))(?P<gap>\s?))?
    (?P<inner>[-−])?
    (?: (?P<plain>\d+(?:\.\d*)?|\.\d+)
      | (?P<comma>\d{{1,3}},\d{{3}})
      | (?P<thousands>(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}})(?:\.\d+)?
                     |\d{{1,3}}(?:['’]\d{{3}})+(?:[.,]\d+)?)
      | (?P<groups>\d{{1,3}}(?:[_ \u00a0\u2009\u202f]\d{{3}})+(?:[.,]\d+)?|\d{{1,3}}(?:\.\d{{3}}){{2,}})
      | (?P<decimal>\d*,\d+|\d{{1,3}}(?:\.\d{{3}})+,\d+)
    )
    (?P<exponent>[eE][-+]?\d+)? (?P<magnitude>\s?(?:[kKMB]|bn|mn|mio|Mio\.|million|billion)(?=[\s)-]|$))?
    (?P<space>\s?) (?P<after>%|‰|[{SYMBOLS}]|/\d{{1,3}}|(?:out[ ])?of[ ]\d{{1,4}}
        |[^\W\d_][^\s\d()]{{0,15}}(?:[ ][^\s\d()]{{1,15}}){{0,2}}
        |[°"″′'][^\s\d()]{{0,7}}|[^\W\d_]{{1,7}}(?:/[^\W\d_]{{1,6}})?[23])?
    (?P<back>-)? (?P<close>\))?
    """,
    re.VERBOSE,
)
_OUTSIDE = re.compile(rf"([{SYMBOLS}])\s?\((.*)\)")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_CLOCK_ENDS = frozenset("dhmsnrcDHMSWY.,")
_CLOCKS = re.compile(
    r"""
    -?(?:\d{1,5}\s(?:days?,?)\s)?\d{1,3}:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:\s?[aApP]\.?[mM]\.?)?
    | (?:\d{1,4}\s?(?:days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\.?,?\s?){2,4}
    | P(?=[T\d])(?:\d+[YMWD]){0,3}(?:T(?:\d+(?:[.,]\d+)?[HMS]){1,3})?
    """,
    re.VERBOSE,
)


def read_number(text: str) -> Reading | None:
    """A text without white space around it as a number."""
    if (":" in text or text[-1:] in _CLOCK_ENDS) and _CLOCKS.fullmatch(text):
        return Reading("number", CLOCK)
    found = _NUMBER.fullmatch(_OUTSIDE.sub(r"(\1\2)", text))
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    style = next(name for name in ("plain", "comma", "thousands", "groups", "decimal") if found[name] is not None)
    affix = (found["before"] or "").strip() or found["after"] or ""
    affix_form = _affix_form(found)
    if affix_form is None or _is_something_else(found, style):
        return None
    core = found[style]
    if re.match(r"0\d", core):
        return Reading("number", CODE)
    if style == "plain" and core.isdigit() and len(core) > _EXACT_DIGITS:
        return Reading("number", LONG)
    if found["magnitude"] and not found["before"]:
        return Reading("number", MAGNITUDE) if not (affix or found["compare"]) else None
    return Reading("number", _form(found, style, affix_form), _singular(affix))


def _is_something_else(found: re.Match[str], style: str) -> bool:
    """A telephone number, an address of the Internet Protocol, a grade."""
    core = found[style]
    digits = re.sub(r"\D", "", core)
    long = core.isdigit() and len(digits) >= _PHONE_DIGITS
    if (found["sign"] or "").strip() == "+" and (style == "groups" or long):
        return True
    if style == "groups" and _ADDRESS.fullmatch(core):
        return True
    return bool(found["back"]) and not re.search(r"[.,]", core) and len(digits) < 3


def _singular(unit: str) -> str:
    """1 year and 2 years are of one unit; 5 ms and 5 m are not."""
    return unit.removesuffix("s") if len(unit) > 2 else unit


def _form(found: re.Match[str], style: str, affix_form: str) -> str:
    """The one thing about a number that is most in the way of reading it."""
    core, sign = found[style], (found["sign"] or "").strip()
    if found["open"]:
        return NUMBERED if core.isdigit() and not affix_form else PARENTHESES
    if found["compare"]:
        return COMPARED
    if affix_form:
        return affix_form
    styles = {"comma": COMMA, "thousands": THOUSANDS, "groups": GROUPS, "decimal": DECIMAL_COMMA}
    if style != "plain":
        return styles[style]
    return SIGNED if sign not in {"", "-"} or found["inner"] or found["back"] or " " in (found["sign"] or "") else PLAIN


def _affix_form(found: re.Match[str]) -> str | None:
    """What stands beside a number: nothing (empty), a percent sign, a currency, a unit or a word; ``None``: no unit.

    A letter right behind a number (12A, 30s) is more often part of a code.
    """
    before, after = (found["before"] or "").strip(), found["after"] or ""
    if before and after:
        return None
    if before:
        spaced, whole = bool(found["gap"]), found["plain"] is not None and found["plain"].isdigit()
        return None if whole and (not spaced or before == "R") and re.fullmatch(LOCAL, before) else CURRENCY
    if after in {"", "%", "‰"}:
        return PERCENT if after else ""
    if re.fullmatch(f"[{SYMBOLS}]|(?i:{CURRENCIES})", after):
        return CURRENCY
    if after in _UNITS:
        return UNIT
    if after.split(" ")[0] in _ORDINALS:
        return None
    return WORD if found["space"] or after[0] in "/°\"″′'" or (after.islower() and len(after) > 1) else None
