"""The gallery: every target once, hostile texts escaped, nothing fetched, readable without JavaScript."""

import re
import textwrap

import lxml.html
import pytest

from mcmc_bench.catalog.gallery import page, write_gallery

MINE = """
    import numpy as np
    from mcmc_bench.core.target import Modes, Target, Truth, point_density

    @point_density
    def log_density(x, gradient, data):
        gradient[0] = -x[0]
        return -0.5 * x[0] ** 2

    def build(width: float = 2.0) -> Target:
        return Target(
            dim=1, density=log_density, draw_dispersed=lambda generator, n: generator.standard_normal((n, 1)),
            one_point=np.zeros(1), tags=("gaussian",), formula="<script>alert(1)</script>",
            description='"><img src=x onerror=alert(2)>', source="Someone 2001, doi 10.1000/182, arXiv 2001.01234",
        )
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """A page with two targets and a broken one, and its folder."""
    folder = tmp_path_factory.mktemp("gallery")
    targets = folder / "targets"
    targets.mkdir()
    (targets / "mine.py").write_text(textwrap.dedent(MINE))
    (targets / "broken.py").write_text("raise RuntimeError('<b>no</b>')\n")
    built_in = page.target_files
    with pytest.MonkeyPatch.context() as patch:
        # Of the catalogue itself one target is enough.
        patch.setattr(
            page,
            "target_files",
            lambda extra: {name: file for name, file in built_in(extra).items() if name in ("mine", "broken", "phi4")},
        )
        told = []
        file = write_gallery(folder / "page", targets_folder=targets, progress=lambda *what: told.append(what))
    assert told[-1] == ("page", 3, 3)
    return file


@pytest.fixture(scope="module")
def html(gallery):
    return lxml.html.fromstring(gallery.read_text(encoding="utf-8"))


def test_every_target_stands_there_once(html):
    assert [card.get("id") for card in html.find_class("target")] == ["target-broken", "target-mine", "target-phi4"]
    assert [row.get("data-card") for row in html.xpath("//table[@id='numbers']/tbody/tr")] == [
        "target-broken",
        "target-mine",
        "target-phi4",
    ]


def test_pictures_are_there(gallery, html):
    pictures = [image.get("src") for image in html.xpath("//article//img")]
    assert pictures == ["figures/mine.png", "figures/phi4.png"]
    for picture in pictures:
        assert (gallery.parent / picture).stat().st_size > 3000
    assert all(image.get("alt") for image in html.xpath("//article//img"))


def test_texts_of_targets_are_escaped(html):
    """The hostile formula is text, and no element and no attribute came of it."""
    assert len(html.xpath("//script")) == 1
    assert not html.xpath("//*[@onerror]")
    assert any("<script>alert(1)</script>" in text for text in html.xpath("//article//text()"))
    assert any("<b>no</b>" in text for text in html.xpath("//article//text()"))


def test_nothing_is_fetched(gallery, html):
    """Links lead out, everything else is here."""
    text = gallery.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?:https?:)?//(?!doi\.org|arxiv\.org)", text)
    assert not html.xpath("//link[@rel='stylesheet']")
    assert "@import" not in text
    links = set(html.xpath("//article[@id='target-mine']//a/@href"))
    assert links == {"https://doi.org/10.1000/182", "https://arxiv.org/abs/2001.01234"}


def test_reference_runs_show_their_checks(html):
    text = html.get_element_by_id("target-phi4").text_content()
    assert "checks of the reference run, all passed" in text
    assert "share of diverging transitions" in text


def test_it_reads_without_javascript(html):
    """What only the script can serve is hidden until it runs; the rest is complete."""
    assert html.xpath("//form[@class='filter']")[0].get("hidden") is not None
    assert html.xpath("//ul[contains(@class, 'all')]")[0].get("hidden") is not None
    assert not [card for card in html.find_class("target") if card.get("hidden") is not None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "A 1999, doi 10.1007/s001800050022",
            '<a href="https://doi.org/10.1007/s001800050022">doi 10.1007/s001800050022</a>',
        ),
        ("B, arXiv 1812.01729; C", '<a href="https://arxiv.org/abs/1812.01729">arXiv 1812.01729</a>; C'),
        ("doi 10.1/a.", "doi 10.1/a."),
        ("<i>", "&lt;i&gt;"),
    ],
)
def test_links_of_sources(text, expected):
    assert expected in str(page.linked(text))
