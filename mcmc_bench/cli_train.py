"""The command that learns a density from examples. Thin: `learning` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mcmc_bench.console import INTERRUPTED, TargetsFolder, bar, clear_errors, say


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(
        epilog="Examples: `mcmc-bench train digits` · `mcmc-bench train mine --data images.npy -o mine.weights.npz`"
    )(train)


def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A target that is learnt, or a name for your own data.")],
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npy", help="Examples of your own: (number, height, width) or (number, dim)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.npz", help="NAME.weights.npz by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training.")] = 0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the optimiser; the data set's own by default.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Units of each layer; the data set's own by default.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processors that PyTorch may use.")] = 1,
    targets: TargetsFolder = None,
) -> None:
    """Learn the density of examples at every noise level: denoising score matching of an energy network.

    Needs PyTorch: pip install 'mcmc_bench[train]'. Writes one weights file, and the curve of the loss beside it. After Ctrl-C
    it holds what was learnt until then.
    """
    from mcmc_bench.catalog import training_set
    from mcmc_bench.learning import network as networks
    from mcmc_bench.learning import train as training

    with clear_errors():
        try:
            import torch
        except ImportError as error:
            raise ValueError(
                "training needs PyTorch, which is not installed: pip install 'mcmc_bench[train]'"
            ) from error
        if data is None:
            examples, held_out, changed = training_set(name, () if targets is None else (targets,))
        else:
            examples, held_out, changed = _own(training.read_data(data))
        given = {key: value for key, value in (("steps", steps), ("width", width)) if value is not None}
        recipe = training.Recipe(**{**changed, **given})
        file = output or Path(f"{name}.weights.npz")
        if not file.parent.is_dir():
            raise ValueError(f"--output {file}: no such folder {file.parent}")
        torch.set_num_threads(threads)
        with bar(f"learning {name}") as progress:
            trained = training.train(
                examples, held_out, recipe, seed=seed,
                progress=lambda step, loss: progress(f"loss {loss:.3f}", step, recipe.steps),
            )  # fmt: skip
        network = training.with_provenance(trained, name=name, seed=seed, recipe=recipe)
        networks.write(file, network)
        curve = file.with_suffix(".loss.png")
        training.draw_losses(trained, curve, name)
    say(
        f"loss: {trained.held_out_loss:.4f} on {len(held_out)} held-out examples, {trained.training_loss:.4f} on "
        f"{len(examples)} of the training"
    )
    typer.echo(f"weights: {file} ({network.parameters} parameters, {file.stat().st_size / 1e3:.0f} kB)")
    typer.echo(f"losses:  {curve}")
    if trained.interrupted:
        say(
            f"interrupted after {len(trained.losses)} of {recipe.steps} steps; the file holds what was learnt until then"
        )
        raise typer.Exit(INTERRUPTED)


def _own(examples: Any) -> tuple[Any, Any, dict[str, Any]]:
    """A fifth of a user's data, by turns, is held out."""
    import numpy as np

    out = np.arange(len(examples)) % 5 == 4
    return examples[~out], examples[out], {}
