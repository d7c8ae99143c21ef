import pytest

from benchmarks.report.wording import percent, seconds, share, signed, significant, times_less


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (1234.4, "1,234"),
        (56.72, "56.7"),
        (8.904, "8.90"),
        (0.1234, "0.123"),
        (0.00871, "0.0087"),
        (0.0, "0"),
        (-0.5, "−0.500"),
        (7.2e-7, "7.2 × 10⁻⁷"),
    ],
)
def test_numbers_show_what_means_something(value, shown):
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(0.0123, 4, "+0.0123"), (-0.002, 4, "−0.0020"), (-0.5, 1, "−0.5")],
)
def test_differences_have_a_sign_and_no_hyphen(value, digits, shown):
    assert signed(value, digits) == shown


def test_shares_are_percentages():
    assert (share(0.9751), percent(0.9751)) == ("97.5%", "97.5")
    assert share(None) == percent(None) == "–"


@pytest.mark.parametrize(("value", "shown"), [(4.1, "4.1 s"), (431.7, "7 min 11 s")])
def test_lengths_of_time(value, shown):
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("ratio", "said"), [(1 / 63, "1/63"), (0.25, "1/4.0"), (0.97, "1.0×"), (1.31, "1.3×")]
)
def test_ratios_are_said_as_a_person_would(ratio, said):
    assert times_less(ratio) == said
