import pytest
from flights.silver import check_quality


def test_a_clean_landing_passes():
    assert check_quality(1000, 50) is None


def test_too_many_bad_rows_are_named():
    assert check_quality(100, 6) == "6 of 100 rows are unusable (6.0%), at most 5% may be"


@pytest.mark.parametrize("bad", [0, 1])
def test_an_empty_landing_does_not_pass(bad):
    assert check_quality(0, bad) == "nothing landed"
