from types import SimpleNamespace

import pytest
from flights.problem import problem_told


def test_the_first_line_of_an_error_is_left_behind_and_the_error_goes_on():
    values = {}
    dbutils = SimpleNamespace(jobs=SimpleNamespace(taskValues=SimpleNamespace(set=values.__setitem__)))

    with pytest.raises(ValueError), problem_told(dbutils):
        raise ValueError("too late\nand more")

    assert values == {"problem": "ValueError: too late"}


def test_a_task_that_succeeds_leaves_nothing():
    with problem_told(None):
        pass
