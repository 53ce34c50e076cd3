"""Slips that a single value of a delivery can carry, by kind: what `strategies` spoils valid rows with."""

from __future__ import annotations

from decimal import Decimal

from tests.oracle.intake_oracle import Contract, Field

ARABIC_INDIC = {ord("0") + digit: chr(0x660 + digit) for digit in range(10)}
FULL_WIDTH = {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}
SPACES_NOT_BLANKS = ("\u00a0", "\u2009", "\u3000", "\u2028", "\u0085", "\u200b", "\ufeff", "\x0b", "\x0c")
FORMULAS = ("=1+1", "@SUM(A1:A2)", "+1", "-1+2", '=HYPERLINK("a","b")')
PUNCTUATION = (
    'a "quoted" word',
    '"',
    '""',
    "a, b",
    ",",
    "line\nbreak",
    "line\r\nbreak",
    "two\n\nbreaks",
    "'",
    ";",
)
MISSING_WORDS = ("NA", "N/A", "#N/A", "null", "NULL", "None", "nan", "-", ".")


def awkward_values(one: Field, value: str, contract: Contract) -> dict[str, list[str]]:
    """Kinds of slips that a field can carry, each with the texts it may leave instead of a valid value."""
    kinds = {
        "empty": [""],
        "only blanks": [" ", "\t", " \t "],
        "blanks around": [f" {value}", f"{value}\t", f"\t {value}  "],
        "other spaces around": [text for space in SPACES_NOT_BLANKS for text in (space + value, value + space)],
        "line break around": [f"{value}\n", f"\r\n{value}", f" {value}\r\n "],
        "other digits": [value.translate(ARABIC_INDIC), value.translate(FULL_WIDTH), f"{value}²", "٣", "１２"],
        "formula": list(FORMULAS),
        "punctuation": list(PUNCTUATION),
        "word for missing": list(MISSING_WORDS),
        "other case": [value.swapcase(), value.lower(), value.upper()],
    }
    if one.type in ("integer", "decimal", "year", "year_number"):
        whole = value.partition(".")[0] or "1"
        step = Decimal(1).scaleb(-(one.scale or 0))
        bounds = [bound for bound in (one.minimum, one.maximum) if bound.is_finite()]
        beyond = [one.minimum - step, one.maximum + step, one.minimum - step / 10, one.maximum + step / 10]
        kinds["thousands"] = ["1,234", "1 234", "1.234,5", "12'345", "1_000", "4,4"]
        kinds["exponent"] = ["1e2", "1E+2", "4.4E-1", "5e0"]
        kinds["point zero"] = ["69.0", "69.000", f"{whole}.0", f"{whole}."]
        kinds["minus zero"] = ["-0", "-0.0", "-00.000"]
        kinds["signs"] = ["+5", "--5", "5-", "(5)", "-", ".", "1.2.3", "-.", "- 5", "50%", "$5", "inf", "0x10"]
        kinds["zeros in front"] = ["007", "00069.0", "-007", "01.5", f"00{value}"]
        kinds["decimals"] = [f"{whole}.{'1' * ((one.scale or 0) + 1)}", f"{whole}.5", ".5", "-.5", "0.1234567"]
        kinds["trailing zeros"] = [f"{whole}.{'0' * 12}", f"{whole}.5{'0' * 12}", f"{value}.00", ".50"]
        kinds["boundary"] = [f"{bound:f}" for bound in bounds] or ["0"]
        kinds["out of range"] = [f"{bound:f}" for bound in beyond if bound.is_finite()] or ["-1"]
        kinds["very long number"] = ["9" * 19, "9" * 40, f"{'0' * 40}1", f"1.{'0' * 40}1", "9007199254740993"]
        kinds["ends of the integers"] = [
            f"{sign}{n}" for n in (2**63 - 1, 2**63, 10**18, 10**18 - 1) for sign in ("", "-")
        ]
    if one.pad or one.type == "student_id":
        short = [code.lstrip("0") for code in sorted(one.codes or ()) if code.startswith("0")]
        kinds["lost zeros"] = [value.lstrip("0") or "0", value[1:], *short]
        kinds["wrong length"] = [f"0{value}", f"{value}0", f"{value[:4]}-{value[4:]}", f"{value}.0", "A" * one.pad]
    if one.max_length is not None:
        lengths = (one.max_length, one.max_length + 1)
        kinds["long"] = [sign * length for length in lengths for sign in ("x", "é", "\U0001f600", "\u0301")]
    if one.codes is not None:
        kinds["unknown code"] = ["ZZ", "98", "06-31", "00-99", "1.0", "0", "October 1", "Grade 3"]
    if one.pattern is not None:
        kinds["other pattern"] = ["1", "123456", "12a", "1 2", "A1"]
    if one.name == contract.part_field:
        kinds["other part"] = sorted(contract.parts)
    if one.type == "year":
        year = int(contract.year)
        kinds["other year"] = [str(year - 1), str(year + 1), f"{year % 100}", f"0{year}", f"{year - 1}-{year % 100}"]
    if one.type == "date":
        kinds["leap day"] = ["2024-02-29", "2000-02-29", "2023-02-28"]
        kinds["impossible date"] = ["2025-02-30", "2025-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "0000-01-01"]
        kinds["other date"] = ["20250105", "2025-1-5", "01/05/2025", "2025-W01-1", "2025-01-05T00:00:00", "45662"]
        kinds["far date"] = ["0001-01-01", "9999-12-31", "1582-10-10"]
    return kinds
