"""`mcmc-bench verify`: is a sampler's kernel exact? Thin: `checks.kernel` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, console, new_table, plain
from mcmc_bench.cli.options import SamplerSettings, SamplersFolder, assignments

if TYPE_CHECKING:
    from rich.table import Table

    from mcmc_bench.checks.kernel.verify import Verification

GROUP = Group.CHECK
EXAMPLES = (
    "mcmc-bench verify hmc",
    "mcmc-bench verify my_sampler.py --quick",
    "mcmc-bench verify my_sampler.py --set step_size=0.5",
)
CLAIMS = {"exact": "exact", "oracle": "exact", "biased": "biased as predicted", "optimiser": "an optimiser"}


def command(
    sampler: Annotated[str, typer.Argument(metavar="SAMPLER", help="A sampler's name, or its file.")],
    set_: SamplerSettings = None,
    samplers: SamplersFolder = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Run the first stage only. It takes seconds and sees large errors.")
    ] = False,
    seed: Annotated[str, typer.Option(help="The name of the random streams.")] = "verify",
) -> None:
    """Test whether a sampler's kernel is exact. A right kernel fails with probability at most 1e-6.

    Exact draws must stay exact, wrong starts must be forgotten, proposals and flows must balance. A kernel without a
    correction must have the predicted bias and no other. Settings that are not given are tuned. Exit code 1 if the kernel
    fails, 3 if nothing could be tested, 4 if it is too slow to tell.
    """
    from mcmc_bench.catalog.files import load_sampler
    from mcmc_bench.checks.kernel.verify import ALPHA, STAGES, verify

    with clear_errors():
        file = Path(sampler)
        if file.suffix == ".py":
            sampler, samplers = file.stem, file
        loaded = load_sampler(sampler, samplers_folder=samplers)
        settings = assignments(set_ or [], f"setting of {loaded.name}", loaded.settings)
        loaded.with_defaults(settings)
        try:
            with bar(f"verifying {loaded.name}") as progress:
                result = verify(loaded, settings, stages=STAGES[:1] if quick else STAGES, seed=seed, progress=progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("nothing is kept; the same command begins anew") from None
    if not result.verified:
        typer.echo(f"{result.sampler}: not verified: no target of this command has what the sampler needs")
        raise typer.Exit(ExitCode.NOTHING_JUDGED)
    console().print(_table(result))
    for target, values in result.settings.items():
        listed = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        typer.echo(f"on {target}: {listed or 'no settings'}")
    chains = f"({result.chains} chains; probability of failing a right kernel at most {ALPHA:g})"
    if result.failed:
        failed = sum(finding.failed for finding in result.findings)
        typer.echo(f"{result.sampler}: FAILED {failed} of {len(result.findings)} tests {chains}")
        raise typer.Exit(ExitCode.FAILED)
    if result.inconclusive:
        typer.echo(
            f"{result.sampler}: inconclusive: no fault was seen, but the chains did not forget their start in the time that "
            f"they had. Either the kernel is slow, or it never moves at these settings: choose another step size {chains}"
        )
        raise typer.Exit(ExitCode.INCONCLUSIVE)
    typer.echo(f"{result.sampler}: {CLAIMS[loaded.kind]}, as far as can be seen {chains}")


def _table(result: Verification) -> Table:
    table = new_table("check", "of what", "off by", "would have been seen", "p", "")
    for finding in result.findings:
        unit = "" if finding.unit.startswith("(") else f" {finding.unit}"
        table.add_row(
            finding.check,
            plain(finding.what),
            f"{finding.deviation:.2g}{unit}",
            f"{finding.detectable:.2g}{unit}",
            f"{finding.p_value:.2g}",
            finding.verdict,
            style=None if finding.passed else "bold red" if finding.failed else "yellow",
        )
    return table
