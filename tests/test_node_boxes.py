"""Boxes of nodes: sizes and colours that Python and the editor's script read from one file."""

from __future__ import annotations

from amp_lab import catalog
from amp_lab.plots import graph_layout


def test_every_group_has_a_hue_and_every_hue_a_group() -> None:
    """Groups are those of the contracts, which a colour for another name would never show."""
    assert set(graph_layout.HUES) == {catalog.contract(name).group for name in catalog.types()}
    assert len(set(graph_layout.HUES.values())) == len(graph_layout.HUES)


def test_a_box_is_as_high_as_its_rows() -> None:
    """Head, a row per port and moving parameter, foot."""
    contract = catalog.contract("svf")
    rows = graph_layout.rows_of(contract)
    assert graph_layout.height(contract) == graph_layout.HEAD + rows * graph_layout.ROW + graph_layout.FOOT
