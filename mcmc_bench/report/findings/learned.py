"""What the results say of samplers on densities that were learned from examples, in sentences.

Every number is taken from the rows, and a sentence without its evidence is left out. Must not know any particular target
or sampler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, MetricValue
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.images import thing
from mcmc_bench.report.findings import floor_comparison
from mcmc_bench.report.selection import Selection, finished, temperature
from mcmc_bench.report.sentences import code, given, join, link, name, number, opening, row_of

DISTINCT, CLASSES, DISTANCE, ENTROPY = "distinct_data", "classes_found", "data_sliced_wasserstein", "class_entropy"
PAIRS, VISITED, ESCAPED, R_HAT = "pair_distance", "classes_per_chain", "escaped_share", "r_hat_max"
COPIES = "nearest_training"


@dataclass(frozen=True)
class LearnedFindings:
    """What is said, and the cells that it is said of."""

    target: str
    without: Cell
    with_noise: Cell
    sentences: list[Markup]
    findings: list[Markup]


def read(selection: Selection) -> LearnedFindings | None:
    """The headline and the findings; None where nothing was run both with and without noise on such a target."""
    cells = _compared(selection)
    pair = _headline(cells)
    if pair is None:
        return None
    without, with_noise = pair
    own = [cell for cell in cells if cell.target == with_noise.target]
    findings = [
        *_elsewhere(selection, cells, with_noise.target),
        floor_comparison.of(selection, with_noise),
        floor_comparison.of_others(selection, cells, with_noise),
        _memorised(selection, with_noise),
        _ascent(selection, own),
        _start_noise(selection, own),
        _largest_noise(selection, own),
        _one_level(own),
        _mixing(selection, cells),
        _dial(selection),
        _escaped(selection),
    ]
    return LearnedFindings(
        with_noise.target, without, with_noise, _opening(selection, without, with_noise), [f for f in findings if f]
    )


# ------------------------------------------------------------ which cells


def _compared(selection: Selection) -> list[Cell]:
    """Cells of the comparison on targets with examples, with the metrics that the sentences need."""
    return [
        cell
        for panel in selection.panels
        for cell in finished(panel.cells)
        if selection.results.targets[cell.target].examples is not None and given(cell, DISTINCT, DISTANCE)
    ]


def _headline(cells: Sequence[Cell]) -> tuple[Cell, Cell] | None:
    """The pair, without noise and with it, between which most is lost; the same settings but for the noise, if there are such."""
    pairs = list(_pairs_but_for(cells, "temperature", 0.0, 1.0)) or [
        (without, with_noise)
        for without in cells
        for with_noise in cells
        if without.sampler_kind == "optimiser"
        and with_noise.sampler_kind in ("biased", "exact")
        and temperature(with_noise) == 1.0
        and (without.target, without.start) == (with_noise.target, with_noise.start)
    ]
    return max(
        pairs,
        key=lambda pair: (
            round(_value(pair[1], DISTINCT) - _value(pair[0], DISTINCT), 2),
            pair[0].start == "dispersed",
        ),
        default=None,
    )


def _pairs_but_for(cells: Sequence[Cell], setting: str, first: float, second: float) -> Iterator[tuple[Cell, Cell]]:
    """Cells that agree in target, sampler and all settings but one, which has the two values."""
    for one in cells:
        for other in cells:
            if (
                one.settings.get(setting) == first
                and other.settings.get(setting) == second
                and _alike(one, other, setting)
            ):
                yield one, other


def _alike(one: Cell, other: Cell, setting: str) -> bool:
    """Whether two cells agree in all but a setting or the start."""
    rest = [{key: value for key, value in cell.settings.items() if key != setting} for cell in (one, other)]
    same_start = one.start == other.start or setting in ("start", "start_noise")
    return (
        same_start
        and rest[0] == rest[1]
        and all(getattr(one, field) == getattr(other, field) for field in ("target", "sampler", "budget", "chains"))
    )


def _value(cell: Cell, metric: str) -> float:
    value = cell.value(metric)
    return float("nan") if value is None else value


def _bounds(cell: Cell, metric: str) -> tuple[float, float]:
    """The interval; of no width where there is none."""
    row = row_of(cell, metric)
    value = _value(cell, metric)
    return (value if row.low is None else row.low), (value if row.high is None else row.high)


# ------------------------------------------------------------ in words


def _things(selection: Selection, cell: Cell, *, distinct: bool = True) -> Markup:
    """``"127.6 (127–128) distinct images"``, linked; the number is of one replicate."""
    noun = thing(selection.results, cell.target)
    one = round(cell.chains * _value(cell, DISTINCT), 3) == 1
    return Markup("{} {}{}").format(
        number(cell, DISTINCT, cell.chains), "distinct " if distinct and not one else "", noun if one else f"{noun}s"
    )


def _classes(selection: Selection, cell: Cell) -> Markup | None:
    """``"10 of 10 classes"``; None for data without classes."""
    facts = selection.results.targets[cell.target].examples
    if facts is None or not facts.classes or not given(cell, CLASSES):
        return None
    return Markup("{} of {} classes").format(number(cell, CLASSES, facts.classes), facts.classes)


def _gives(selection: Selection, cell: Cell) -> Markup:
    """``"128 distinct images of 128 chains, in 10 of 10 classes"``."""
    classes = _classes(selection, cell)
    return Markup("{} of {} chains{}").format(
        _things(selection, cell), cell.chains, Markup(", in {}").format(classes) if classes else ""
    )


def _floor(row: MetricValue) -> Markup:
    return (
        Markup("")
        if row.floor is None
        else Markup(", where as many real ones are at {}").format(numbers.number(row.floor))
    )


def _opening(selection: Selection, without: Cell, with_noise: Cell) -> list[Markup]:
    noun, row = thing(selection.results, with_noise.target), row_of(with_noise, DISTANCE)
    same = without.sampler == with_noise.sampler
    return [
        Markup("With its noise, {} gives {}; their sliced Wasserstein distance to held-out {}s is {}{}.").format(
            name(with_noise), _gives(selection, with_noise), noun, number(with_noise, DISTANCE), _floor(row)
        ),
        Markup("{} gives {}, at a distance of {}.").format(
            "Without it, the same schedule" if same else opening(name(without)),
            _gives(selection, without),
            number(without, DISTANCE),
        ),
    ]


def _elsewhere(selection: Selection, cells: Sequence[Cell], target: str) -> list[Markup]:
    """The same comparison on further targets."""
    found = []
    for other in dict.fromkeys(cell.target for cell in cells if cell.target != target):
        pair = _headline([cell for cell in cells if cell.target == other])
        if pair is not None:
            found.append(Markup("<b>{}.</b> {}").format(code(other), Markup(" ").join(_opening(selection, *pair))))
    return found


def _memorised(selection: Selection, cell: Cell) -> Markup | None:
    """The same sampler on the smoothed training examples, which the score of the target is compared with: it copies."""
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
        if (other.sampler, other.settings, other.start, other.chains) != (
            cell.sampler,
            cell.settings,
            cell.start,
            cell.chains,
        ):
            continue
        noun, floor = thing(selection.results, cell.target), row_of(cell, COPIES).floor
        copies = floor is not None and _bounds(other, COPIES)[1] < 0.5 * floor
        real = "" if floor is None else f", held-out ones at {numbers.number(floor)}"
        distance = row_of(other, DISTANCE)
        unseen = copies and distance.floor is not None and _bounds(other, DISTANCE)[0] <= distance.floor
        return Markup(
            "<b>{}.</b> On {}, the training {}s with noise and nothing else, {} gives {} at a median distance of {} to the nearest training {}{}; on {} it gives {}s at {}{}. The sliced Wasserstein distance of the former is {}{}{}."
        ).format(
            "Who only memorises gives copies" if copies else "What only memorises",
            code(other.target),
            noun,
            name(other),
            _things(selection, other),
            number(other, COPIES),
            noun,
            ": they are copies" if copies else "",
            code(cell.target),
            noun,
            number(cell, COPIES),
            real,
            number(other, DISTANCE),
            _floor(distance),
            ": it does not see copies" if unseen else "",
        )
    return None


def _ascent(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Ascent at one level: how many distinct ends it has from each start."""
    ascents = [cell for cell in cells if cell.sampler_kind == "optimiser"]
    spread = [cell for cell in ascents if cell.start == "dispersed"]
    if not any((floor := row_of(cell, DISTINCT).floor) and _bounds(cell, DISTINCT)[1] < floor for cell in spread):
        return None
    said = [Markup("{}, after {} evaluations").format(_gives(selection, cell), cell.budget) for cell in spread]
    found = Markup("<b>From starts that are spread out</b> {} at one noise level ends at {}").format(
        name(spread[0]), join(said)
    )
    once = [cell for cell in ascents if cell.start == "one_point"]
    if once:
        found += Markup("; from one start, at {}").format(_gives(selection, once[0]))
    return found + Markup(".")


def _start_noise(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Which samplers bring noise of their own: all chains begun at one point, against random starts."""
    carried, own = [], []
    for one, random in _pairs_but_for(cells, "start_noise", 0.0, 1.0):
        if temperature(one) != 1.0 or not given(one, PAIRS):
            continue
        if _value(one, PAIRS) == 0.0 and _bounds(random, DISTINCT)[0] > 0.5:
            carried.append(
                Markup(
                    "{} gives {} from random starts, and {} when all chains begin at one point: it adds no noise on the way, and what tells its ends apart is its starts{}"
                ).format(name(random), _things(selection, random), _things(selection, one), _pairs_of(random))
            )
        elif _bounds(one, DISTINCT)[0] > 0.5:
            own.append(Markup("{} still gives {}").format(name(one), _things(selection, one)))
    if not carried:
        return None
    rest = Markup(". Begun at one point, {}: noise is added on the way").format(join(own)) if own else ""
    return Markup("<b>It is gradient ascent that collapses, not everything without noise.</b> {}{}.").format(
        Markup(opening(join(carried))), rest
    )


def _pairs_of(cell: Cell) -> Markup:
    """How far from each other its ends are, in brackets."""
    if not given(cell, PAIRS):
        return Markup("")
    floor = row_of(cell, PAIRS).floor
    real = "" if floor is None else f", where real ones are at {numbers.number(floor)}"
    return Markup(" (median distance of two ends {}{})").format(number(cell, PAIRS), real)


def _largest_noise(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """How many ends an ascent has from more noise and from less."""
    ascents = [cell for cell in cells if cell.settings.get("temperature") == 0.0 and cell.start == "dispersed"]
    for much in ascents:
        for little in ascents:
            levels = [cell.settings.get("largest_noise", 0.0) for cell in (much, little)]
            if not (levels[0] > levels[1] and _alike(much, little, "largest_noise")):
                continue
            if _bounds(much, DISTINCT)[1] < _bounds(little, DISTINCT)[0]:
                return Markup(
                    "<b>How few ends an ascent has depends on the largest noise.</b> Down the levels without noise chains end at {} from σ = {:g}; from σ = {:g} at {}."
                ).format(_things(selection, much, distinct=False), levels[0], levels[1], _gives(selection, little))
    return None


def _one_level(cells: Sequence[Cell]) -> Markup | None:
    """Samplers with all their noise that still remember where they began."""
    said = []
    for one in cells:
        for spread in cells:
            if (one.start, spread.start) != ("one_point", "dispersed") or one.sampler_kind == "optimiser":
                continue
            if not _alike(one, spread, "start"):
                continue
            if temperature(one) == 1.0 and _bounds(one, DISTANCE)[0] > _bounds(spread, DISTANCE)[1]:
                floor = row_of(one, DISTANCE).floor
                real = "" if floor is None else f"; as many real ones: {numbers.number(floor)}"
                said.append(
                    Markup("{} for {} ({} from starts that are spread out{})").format(
                        number(one, DISTANCE), name(one), number(spread, DISTANCE), real
                    )
                )
    if not said:
        return None
    return Markup(
        "<b>Noise at one level does not mix.</b> On {}, with all their noise, chains still show where they began after the same budget. Distance from one start: {}."
    ).format(code(cells[0].target), join(said))


def _mixing(selection: Selection, cells: Sequence[Cell]) -> Markup | None:
    """Classes that a chain visits, target by target."""
    visiting = [
        cell for cell in cells if given(cell, VISITED) and cell.metric(R_HAT) is not None
    ]  # run in order to mix
    said = []
    for target in dict.fromkeys(cell.target for cell in visiting):
        facts = selection.results.targets[target].examples
        assert facts is not None
        each = []
        for cell in visiting:
            if cell.target == target:
                r_hat = (
                    Markup(", worst R-hat {}").format(link(cell, numbers.of_row(row_of(cell, R_HAT))))
                    if given(cell, R_HAT)
                    else ""
                )
                each.append(Markup("{} by {}{}").format(number(cell, VISITED), name(cell), r_hat))
        said.append(Markup("of the {} classes of {} {}").format(facts.classes, code(target), join(each)))
    if not said:
        return None
    return Markup("<b>Classes that a chain visits</b> (mean over chains): {}.").format(Markup("; ").join(said))


def _dial(selection: Selection) -> Markup | None:
    """At which temperature the distance to held-out data is least."""
    for cells in selection.explorations("temperature").values():
        turned = [cell for cell in finished(cells) if given(cell, DISTANCE)]
        full = next((cell for cell in turned if cell.settings["temperature"] == 1.0), None)
        if full is None or len(turned) < 3:
            continue
        best = min(turned, key=lambda cell: _value(cell, DISTANCE))
        lowest = min(turned, key=lambda cell: cell.settings["temperature"])
        falls = (
            Markup("falls from {} at τ = {:g} and ").format(number(lowest, DISTANCE), lowest.settings["temperature"])
            if best is not lowest
            else ""
        )
        least = Markup("is least at τ = {:g}: {}").format(best.settings["temperature"], number(best, DISTANCE))
        at_one = Markup("; at τ = 1 it is {}").format(number(full, DISTANCE)) if best is not full else ""
        reach = [
            f"{cell.settings['temperature']:g}"
            for cell in sorted(turned, key=lambda cell: cell.settings["temperature"])
            if cell is not best and _bounds(cell, DISTANCE)[0] <= _bounds(best, DISTANCE)[1]
        ]
        overlap = (
            f". {'The interval' if len(reach) == 1 else 'Intervals'} at τ = {numbers.listing(reach)} "
            f"{'overlaps' if len(reach) == 1 else 'overlap'} with that of the least"
            if reach
            else ""
        )
        return Markup("<b>The noise dial.</b> The distance to held-out {}s {}{}{}{}.").format(
            thing(selection.results, full.target), falls, least, at_one, overlap
        )
    return None


def _escaped(selection: Selection) -> Markup | None:
    """Whether chains have ended outside the range of the data; cells in which that is not known are counted and named."""
    known: list[Cell] = []
    unknown: list[tuple[Cell, str]] = []
    for cell in selection.results.cells:
        row = cell.metric(ESCAPED)
        if selection.results.targets[cell.target].examples is None or cell.outcome is Outcome.NOT_APPLICABLE:
            continue
        if cell.outcome is not Outcome.FINISHED:
            unknown.append((cell, cell.outcome))
        elif row is not None and (row.value is None or cell.stopped_chains):
            unknown.append((cell, row.note or numbers.count(cell.stopped_chains, "stopped chain")))
        elif row is not None:
            known.append(cell)
    if not known:
        return None
    left = [cell for cell in known if _value(cell, ESCAPED) > 0.0]
    rest = Markup("")
    if unknown:
        which = [
            Markup("{} on {} ({})").format(link(cell, name(cell)), code(cell.target), why) for cell, why in unknown
        ]
        rest = Markup(" Not known of {}: {}.").format(numbers.count(len(unknown), "further cell"), _some(which))
    if not left:
        return Markup("<b>No chain ended outside the range of the data</b> in any of {}.{}").format(
            numbers.count(len(known), "cell"), rest
        )
    said = [Markup("{} of {}").format(link(cell, numbers.percent(row_of(cell, ESCAPED))), name(cell)) for cell in left]
    return Markup("<b>Chains that ended outside the range of the data</b> in {} of {}: {}.{}").format(
        len(left), numbers.count(len(known), "cell"), _some(said), rest
    )


def _some(parts: Sequence[Markup]) -> Markup:
    """The first six of them, joined."""
    return join(parts) if len(parts) <= 6 else Markup("{}, …").format(Markup(", ").join(parts[:6]))
