"""The command that tests whether a sampler's kernel is exact. Thin: `verification` does it."""

from __future__ import annotations

from typing import Annotated

import typer

from mcmc_bench.cli.console import (
    FAILED,
    INCONCLUSIVE,
    NOTHING_COMPARED,
    SamplersFolder,
    assignments,
    bar,
    clear_errors,
    console,
    new_table,
    plain,
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench verify hmc` · `mcmc-bench verify my_sampler --samplers my_sampler.py --set step_size=0.5`"
    )(verify)


def verify(
    sampler: Annotated[str, typer.Argument(metavar="SAMPLER", help="A sampler's name, or its file.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A sampler's setting; the rest are tuned.")
    ] = None,
    samplers: SamplersFolder = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The first stage only: seconds, and it sees large errors.")
    ] = False,
    seed: Annotated[str, typer.Option(help="The name of the random streams.")] = "verify",
) -> None:
    """Is a kernel exact? Tests of one sampler, with one rate of false alarms, 1e-6, for the whole.

    Exact draws must stay exact, wrong starts must be forgotten, proposals and flows must balance; a kernel without a
    correction must have just the bias that is predicted. Exit code 1 if it fails, 3 if nothing could be tested, 4 if it is
    too slow to tell.
    """
    from pathlib import Path

    from mcmc_bench.catalog.files import load_sampler
    from mcmc_bench.checks.kernel.verify import ALPHA, STAGES
    from mcmc_bench.checks.kernel.verify import verify as run_verify

    with clear_errors():
        file = Path(sampler)
        if file.suffix == ".py":
            sampler, samplers = file.stem, file
        loaded = load_sampler(sampler, samplers_folder=samplers)
        settings = assignments(set_ or [], f"setting of {loaded.name}", loaded.settings)
        loaded.complete(settings)
        try:
            with bar(f"verifying {loaded.name}") as progress:
                result = run_verify(
                    loaded, settings, stages=STAGES[:1] if quick else STAGES, seed=seed, progress=progress
                )
        except KeyboardInterrupt:
            raise KeyboardInterrupt("nothing is kept; the same command begins anew") from None
    if not result.verified:
        typer.echo(f"{result.sampler}: not verified: none of the targets of this command has what it needs")
        raise typer.Exit(NOTHING_COMPARED)
    table = new_table("check", "of what", "off by", "would have been seen", "p", "")
    for finding in result.findings:
        unit = "" if finding.unit.startswith("(") else f" {finding.unit}"
        table.add_row(
            finding.check, plain(finding.what), f"{finding.deviation:.2g}{unit}", f"{finding.detectable:.2g}{unit}",
            f"{finding.p_value:.2g}", finding.verdict, style=None if finding.passed else "bold red" if finding.failed else "yellow",
        )  # fmt: skip
    console().print(table)
    for target, values in result.settings.items():
        said = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        typer.echo(f"on {target}: {said or 'no settings'}")
    chains = f"({result.chains} chains; probability of failing a right kernel at most {ALPHA:g})"
    if result.failed:
        failed = sum(finding.failed for finding in result.findings)
        typer.echo(f"{result.sampler}: FAILED {failed} of {len(result.findings)} tests {chains}")
        raise typer.Exit(FAILED)
    if result.inconclusive:
        typer.echo(
            f"{result.sampler}: inconclusive: no fault was seen, but it does not forget its start in the time it was given: "
            f"too slow to tell, or it never moves at these settings; choose another step size {chains}"
        )
        raise typer.Exit(INCONCLUSIVE)
    kind = {"exact": "exact", "oracle": "exact", "biased": "biased as predicted", "optimiser": "an optimiser"}[
        loaded.kind
    ]
    typer.echo(f"{result.sampler}: {kind}, as far as can be seen {chains}")
