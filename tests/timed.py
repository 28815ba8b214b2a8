"""Tests of how long something takes."""

import math

import pytest


def timed(limit_s: float) -> pytest.MarkDecorator:
    """Give a test ``within_s``: no limit in ``make test``, and `limit_s` in ``make test-all``.

    The first holds on a machine of any speed, the second on one that does nothing else.
    """
    limits = [pytest.param(math.inf, id="ends"), pytest.param(limit_s, id="in time", marks=pytest.mark.long)]
    return pytest.mark.parametrize("within_s", limits)
