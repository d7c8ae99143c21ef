"""How figures are written for a person: the digits that mean something, and a real minus."""

NOT_MEASURED = "–"
MINUS = "−"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def significant(value: float | None) -> str:
    """Return a number with about three digits that mean something: 1,234, 56.7, 8.90, 0.123."""
    if value is None:
        return NOT_MEASURED
    for least, digits in ((100, 0), (10, 1), (1, 2), (0.01, 3)):
        if abs(value) >= least:
            return with_minus(f"{value:,.{digits}f}")
    shown, _, exponent = f"{value:.2g}".partition("e")
    power = f" × 10{str(int(exponent)).translate(_RAISED)}" if exponent else ""
    return with_minus(shown) + power


def signed(value: float, digits: int = 4) -> str:
    """Return a difference with its sign: +0.0123, −0.0045."""
    return with_minus(f"{value:+.{digits}f}")


def with_minus(text: str) -> str:
    """Put the minus sign where Python writes a hyphen, in the text of one number."""
    return text.replace("-", MINUS)


def share(value: float | None) -> str:
    """Return a share as a percentage: 97.5%."""
    return NOT_MEASURED if value is None else f"{value:.1%}"


def percent(value: float | None) -> str:
    """Return a share in percent without the sign, for a column that has it: 97.5."""
    return NOT_MEASURED if value is None else f"{value * 100:.1f}"


def seconds(value: float) -> str:
    """Return a length of time: 4.1 s, 7 min 11 s."""
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def times_less(ratio: float) -> str:
    """Say how small something is beside the teacher's: 0.016 is `1/63`, 0.3 `1/3.3`, 1.2 `1.2x`."""
    if ratio >= 0.95:
        return f"{ratio:.1f}×"
    return f"1/{1 / ratio:.0f}" if ratio < 0.1 else f"1/{1 / ratio:.1f}"


def rounds_in_words(rounds: int, restarts: int) -> str:
    """Say how often models were asked in turn, and by how many processes of each."""
    by = "" if restarts == 1 else f" by {restarts} processes of each"
    return f"{rounds:,} rounds{by}"
