"""What is added to what browsers send."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.tracking.digest.enrich import split_region


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"region": "US-TN"}, {"region": "TN", "country": "US"}),
        ({"region": "FR-75C", "country": "DE"}, {"region": "75C", "country": "DE"}),
        ({"region": "QC"}, {"region": "QC"}),
        ({"region": "us-tn"}, {"region": "us-tn"}),
        ({"region": 7}, {"region": 7}),
    ],
)
def test_a_region_is_kept_apart_from_its_country(sent: dict[str, Any], kept: dict[str, Any]) -> None:
    split_region(sent)
    assert sent == kept
