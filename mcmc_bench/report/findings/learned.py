"""Findings about samplers on densities that were learned from examples.

Every number is taken from the results, and a sentence without its evidence is left out. Must not know any particular target
or sampler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.findings import floor_comparison, noise_levels
from mcmc_bench.report.findings.ends import (
    DISTANCE,
    DISTINCT,
    bounds,
    distinct_ends,
    in_classes,
    of_real,
    pair_without_and_with_noise,
    value_of,
)
from mcmc_bench.report.selection import Selection, finished
from mcmc_bench.report.sentences import capitalised, code, given, join, link, metric_of, name, noun_for, number

VISITED, ESCAPED, R_HAT, COPIES = "classes_per_chain", "escaped_share", "r_hat_max", "nearest_training"
#: Cells that a sentence names before it ends in "…".
MOST_NAMED = 6


@dataclass(frozen=True)
class LearnedFindings:
    """The sentences, and the cells of the headline."""

    target: str
    without: Cell
    with_noise: Cell
    sentences: list[Markup]
    findings: list[Markup]


def read(selection: Selection) -> LearnedFindings | None:
    """The headline and the findings; None where nothing was run both with and without noise on such a target."""
    cells = _compared(selection)
    pair = pair_without_and_with_noise(cells)
    if pair is None:
        return None
    without, with_noise = pair
    found = [
        *_elsewhere(selection, cells, with_noise.target),
        floor_comparison.of_headline(selection, with_noise),
        floor_comparison.of_others(selection, cells, with_noise),
        _memorised(selection, with_noise),
        *noise_levels.read(selection, [cell for cell in cells if cell.target == with_noise.target]),
        _mixing(selection, cells),
        _dial(selection),
        _escaped(selection),
    ]
    sentences = _opening(selection, without, with_noise)
    return LearnedFindings(with_noise.target, without, with_noise, sentences, [one for one in found if one is not None])


def _compared(selection: Selection) -> list[Cell]:
    """Cells of the comparison on targets with examples, with the metrics that the sentences need."""
    return [
        cell
        for panel in selection.panels
        for cell in finished(panel.cells)
        if selection.results.targets[cell.target].examples is not None and given(cell, DISTINCT, DISTANCE)
    ]


# ------------------------------------------------------------ the headline


def _opening(selection: Selection, without: Cell, with_noise: Cell) -> list[Markup]:
    noun = noun_for(selection.results, with_noise.target)
    same = without.sampler == with_noise.sampler
    return [
        Markup("With noise, {} chains of {} end at {}{}.").format(
            with_noise.chains,
            name(with_noise),
            distinct_ends(selection, with_noise),
            in_classes(selection, with_noise),
        ),
        Markup("Their sliced Wasserstein distance to held-out {}s is {}{}.").format(
            noun, number(with_noise, DISTANCE), of_real(selection, with_noise, DISTANCE)
        ),
        Markup("{} ends at {}{}, at a distance of {}.").format(
            "Without noise, the same schedule" if same else capitalised(name(without)),
            distinct_ends(selection, without),
            in_classes(selection, without),
            number(without, DISTANCE),
        ),
    ]


def _elsewhere(selection: Selection, cells: Sequence[Cell], target: str) -> Iterator[Markup]:
    """The same comparison on further targets."""
    for other in dict.fromkeys(cell.target for cell in cells if cell.target != target):
        pair = pair_without_and_with_noise([cell for cell in cells if cell.target == other])
        if pair is not None:
            yield Markup("<b>{}.</b> {}").format(code(other), Markup(" ").join(_opening(selection, *pair)))


# ------------------------------------------------------------ memorisation


def _memorised(selection: Selection, cell: Cell) -> Markup | None:
    """The same sampler on the smoothed training examples, which the score of the target is compared with."""
    other = _same_on_counterpart(selection, cell)
    if other is None:
        return None
    noun, floor = noun_for(selection.results, cell.target), metric_of(cell, COPIES).floor
    copies = floor is not None and bounds(other, COPIES)[1] < 0.5 * floor
    distance = metric_of(other, DISTANCE)
    unseen = copies and distance.floor is not None and bounds(other, DISTANCE)[0] <= distance.floor
    return Markup(
        "<b>{title}</b> On {other}, the density of the training {noun}s with noise, {name} ends at {ends}, at a median "
        "distance of {near} to the nearest training {noun}{copies}. On {target} this distance is {own}{real}. On {other} the "
        "sliced Wasserstein distance to held-out {noun}s is {far}{floor}{unseen}."
    ).format(
        title="Memorising gives copies." if copies else "Sampling the training set.",
        other=code(other.target),
        target=code(cell.target),
        noun=noun,
        name=name(other),
        ends=distinct_ends(selection, other),
        near=number(other, COPIES),
        copies=": they are copies" if copies else "",
        own=number(cell, COPIES),
        real="" if floor is None else f"; for held-out {noun}s it is {numbers.number(floor)}",
        far=number(other, DISTANCE),
        floor=of_real(selection, other, DISTANCE),
        unseen=". This distance does not see copies" if unseen else "",
    )


def _same_on_counterpart(selection: Selection, cell: Cell) -> Cell | None:
    """The cell of the same sampler and settings on the density that only holds the training examples."""
    facts = selection.results.targets[cell.target]
    if facts.counterpart is None or facts.counterpart_is_source or not given(cell, COPIES):
        return None
    for other in _compared(selection):
        of = selection.results.targets[other.target]
        if of.name != facts.counterpart or not given(other, COPIES):
            continue
        # Of the same noise: a learned target has its network as a further parameter.
        if any(facts.parameters.get(key) != value for key, value in of.parameters.items()):
            continue
        if all(getattr(other, key) == getattr(cell, key) for key in ("sampler", "settings", "start", "chains")):
            return other
    return None


# ------------------------------------------------------------ mixing, the dial, the range of the data


def _mixing(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Classes that a chain visits, target by target, of samplers that were run in order to mix."""
    visiting = [cell for cell in cells if given(cell, VISITED) and cell.metric(R_HAT) is not None]
    said = []
    for target in dict.fromkeys(cell.target for cell in visiting):
        facts = selection.results.targets[target].examples
        assert facts is not None
        each = []
        for cell in (one for one in visiting if one.target == target):
            r_hat = Markup(" (worst R-hat {})").format(number(cell, R_HAT)) if given(cell, R_HAT) else ""
            each.append(Markup("{} by {}{}").format(number(cell, VISITED), name(cell), r_hat))
        said.append(Markup("of the {} classes of {}, {}").format(facts.classes, code(target), join(each)))
    if not said:
        return None
    return Markup("<b>Classes visited by one chain</b> (mean over chains): {}.").format(Markup("; ").join(said))


def _dial(selection: Selection) -> Markup | None:
    """The temperature at which the distance to held-out data is least."""
    for cells in selection.explorations("temperature").values():
        turned = [cell for cell in finished(cells) if given(cell, DISTANCE)]
        turned.sort(key=lambda cell: cell.settings["temperature"])
        full = next((cell for cell in turned if cell.settings["temperature"] == 1.0), None)
        if full is None or len(turned) < 3:
            continue
        best, lowest = min(turned, key=lambda cell: value_of(cell, DISTANCE)), turned[0]
        falls = Markup("")
        if best is not lowest:
            falls = Markup("falls from {} at τ = {:g} and ").format(
                number(lowest, DISTANCE), lowest.settings["temperature"]
            )
        least = Markup("is least at τ = {:g}: {}").format(best.settings["temperature"], number(best, DISTANCE))
        at_one = Markup("; at τ = 1 it is {}").format(number(full, DISTANCE)) if best is not full else ""
        return Markup("<b>The noise dial.</b> The distance to held-out {}s {}{}{}.{}").format(
            noun_for(selection.results, full.target), falls, least, at_one, _overlaps(turned, best)
        )
    return None


def _overlaps(cells: Sequence[Cell], best: Cell) -> str:
    """A sentence that names the temperatures whose intervals overlap with that of the least distance; "" if none does."""
    reach = [
        f"{cell.settings['temperature']:g}"
        for cell in cells
        if cell is not best and bounds(cell, DISTANCE)[0] <= bounds(best, DISTANCE)[1]
    ]
    if not reach:
        return ""
    return f" Its interval overlaps {'that' if len(reach) == 1 else 'those'} at τ = {numbers.listing(reach)}."


def _escaped(selection: Selection) -> Markup | None:
    """Whether chains ended outside the range of the data; cells in which that is not known are counted and named."""
    known: list[Cell] = []
    unknown: list[tuple[Cell, str]] = []
    for cell in selection.results.cells:
        found = cell.metric(ESCAPED)
        if selection.results.targets[cell.target].examples is None or cell.outcome is Outcome.NOT_APPLICABLE:
            continue
        if cell.outcome is not Outcome.FINISHED:
            unknown.append((cell, cell.outcome))
        elif found is not None and (found.value is None or cell.stopped_chains):
            unknown.append((cell, found.note or numbers.count(cell.stopped_chains, "stopped chain")))
        elif found is not None:
            known.append(cell)
    if not known:
        return None
    rest = Markup("")
    if unknown:
        places = [
            Markup("{} on {} ({})").format(link(cell, name(cell)), code(cell.target), why) for cell, why in unknown
        ]
        rest = Markup(" Not known for {}: {}.").format(numbers.count(len(unknown), "further cell"), _some(places))
    outside = [cell for cell in known if value_of(cell, ESCAPED) > 0.0]
    if not outside:
        return Markup("<b>No chain ended outside the range of the data</b> in any of {}.{}").format(
            numbers.count(len(known), "cell"), rest
        )
    said = [
        Markup("{} for {}").format(link(cell, numbers.percent(metric_of(cell, ESCAPED))), name(cell))
        for cell in outside
    ]
    return Markup("<b>Chains ended outside the range of the data</b> in {} of {}: {}.{}").format(
        len(outside), numbers.count(len(known), "cell"), _some(said), rest
    )


def _some(parts: Sequence[Markup]) -> Markup:
    """The first of them, joined."""
    return join(parts) if len(parts) <= MOST_NAMED else Markup("{}, …").format(Markup(", ").join(parts[:MOST_NAMED]))
