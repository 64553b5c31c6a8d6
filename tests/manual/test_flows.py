"""The pictures of the flows are those that their text gives, and fit their boxes."""

from xml.etree import ElementTree

import pytest

from manual.flows import Flow, read_flows

FLOWS = read_flows()


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_the_picture_that_is_kept_is_drawn_from_the_text(flow: Flow) -> None:
    assert flow.path.read_text() == flow.to_svg(), "draw them anew with `python -m manual.flows`"


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_it_is_whole_and_names_every_box_in_words_too(flow: Flow) -> None:
    drawing = ElementTree.fromstring(flow.to_svg())
    described = drawing.findtext("{http://www.w3.org/2000/svg}desc")
    assert described is not None
    assert all(name in described for name, _ in flow.boxes)
    arrows = [
        each for each in drawing.iter("{http://www.w3.org/2000/svg}path") if "marker-end" in each.attrib
    ]
    assert len(arrows) == len(flow.boxes) - 1


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_its_words_fit_their_boxes(flow: Flow) -> None:
    """About 7.6 pixels a letter at 14 px, 6.2 at 11.5 px, in the widest of the usual fonts."""
    assert [name for name, what in flow.boxes if len(name) * 7.6 > 238 or len(what) * 6.2 > 238] == []
