"""`mcmc-bench train`: learn a density from examples. Thin: `densities.learning` does the work."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, say
from mcmc_bench.cli.options import TargetsFolder

if TYPE_CHECKING:
    from mcmc_bench.densities.learning.network import Network
    from mcmc_bench.densities.learning.train import Recipe, Trained

GROUP = Group.RUN
EXAMPLES = ("mcmc-bench train digits", "mcmc-bench train mine --data images.npy")
#: The largest first seed. PyTorch takes it, and those of the trainings that follow.
LARGEST_SEED = 2**32 - 1
#: From fewer trainings a prediction interval is too wide to be of use.
FEWEST_TRAININGS = 4
DATA_HELP = "Examples of your own, one array: (number, height, width) up to 28 × 28, or (number, dim)."


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A target that is learned, or a name for your own data.")],
    data: Annotated[Path | None, typer.Option(metavar="FILE.npy", help=DATA_HELP)] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with the examples of a target that comes without them."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the files; made if there is none.")
    ] = Path("my_targets"),
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the training.")] = 0,
    repeat: Annotated[
        int, typer.Option(min=1, help="Number of trainings, each with the next seed. The first is kept.")
    ] = 1,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the optimiser. Default: those of the data set.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Units of each layer. Default: those of the data set.")
    ] = None,
    lowest_noise: Annotated[
        float | None, typer.Option(help="The lowest noise level that is learned. Default: from the spread of the data.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processors that PyTorch may use.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    targets: TargetsFolder = None,
) -> None:
    """Learn the density of examples at every noise level, by denoising score matching.

    Needs PyTorch: pip install -e '.[train]' in a clone. Writes NAME.weights.npz and a picture of the loss; for data of your
    own also the examples and NAME.py, a target that every command takes. After Ctrl-C the files hold what was learned until
    then.
    """
    from mcmc_bench.catalog.files import list_targets, training_set
    from mcmc_bench.densities.learning import own_examples
    from mcmc_bench.densities.learning import train as training
    from mcmc_bench.densities.learning.network import write

    stem = output / name
    with clear_errors():
        given = None
        if data is None:
            examples, held_out, changed = training_set(name, () if targets is None else (targets,), folder)
        else:
            own_examples.check_name(name)
            _refuse_without_use(folder, targets)
            if name in list_targets():
                raise ValueError(f"NAME {name}: there is a built-in target of that name; choose another")
            given = own_examples.read_data(data)
            examples, held_out = own_examples.split(own_examples.flat(given))
            changed = own_examples.noise_range(given)
        asked = {"steps": steps, "width": width, "lowest_noise": lowest_noise}
        changed |= {key: value for key, value in asked.items() if value is not None}
        recipe = training.Recipe(**changed)
        endings = [own_examples.WEIGHTS, own_examples.LOSSES]
        endings += [] if data is None else [own_examples.TARGET, own_examples.EXAMPLES]
        if not force:
            own_examples.check_free([own_examples.beside(stem, ending) for ending in endings])
        _needs_pytorch(threads)
        own_examples.check_folder(output)

        weights = own_examples.beside(stem, own_examples.WEIGHTS)
        trained = [_train_once(examples, held_out, recipe, name=name, seed=seed)]

        def network() -> Network:
            return training.with_provenance(
                trained[0],
                name=name,
                seed=seed,
                recipe=recipe,
                command=_command(name, data=data, seed=seed, repeat=len(trained), **asked),
                others=[other.held_out_loss for other in trained[1:]],
            )

        # Stored before any other training, which may fail.
        if given is None or data is None:
            write(weights, network())
        else:
            own_examples.write_target(stem, network(), given, data)
        training.draw_losses(trained[0], own_examples.beside(stem, own_examples.LOSSES), name)

        interrupted = trained[0].interrupted
        while len(trained) < repeat and not interrupted:
            other = _train_again(examples, held_out, recipe, name=name, seed=seed + len(trained), kept=weights)
            interrupted = other is None or other.interrupted
            if other is not None and not interrupted:
                trained.append(other)
                write(weights, network())
    _print_losses(trained, len(examples), len(held_out))
    _print_files(network(), stem, trained[0], data)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _refuse_without_use(folder: Path | None, targets: Path | None) -> None:
    """Refuse the options that have no effect on data of one's own."""
    for option, given in (("--folder", folder), ("--targets", targets)):
        if given is not None:
            raise ValueError(
                f"{option} {given} has no use with --data, which says where the examples are: leave out one of the two"
            )


def _needs_pytorch(threads: int) -> None:
    try:
        import torch
    except ImportError as error:
        raise ValueError(
            "training needs PyTorch, which is not installed: pip install -e '.[train]' in a clone of mcmc_bench"
        ) from error
    torch.set_num_threads(threads)


def _train_once(examples: Any, held_out: Any, recipe: Recipe, *, name: str, seed: int) -> Trained:
    from mcmc_bench.densities.learning.train import train

    with bar(f"learning {name}, seed {seed}") as progress:

        def advance(step: int, loss: float) -> None:
            progress(f"loss {loss:.3f}", step, recipe.steps)

        return train(examples, held_out, recipe, seed=seed, progress=advance)


def _train_again(examples: Any, held_out: Any, recipe: Recipe, *, name: str, seed: int, kept: Path) -> Trained | None:
    """As `_train_once`, with the first training stored in `kept`. None if Ctrl-C comes before the first step."""
    try:
        return _train_once(examples, held_out, recipe, name=name, seed=seed)
    except KeyboardInterrupt:
        return None
    except ValueError as error:
        raise ValueError(f"seed {seed}: {error}; {kept} holds what was learned before") from error


def _command(name: str, **options: object) -> str:
    """The command line of this training, without folders."""
    words = ["mcmc-bench", "train", name]
    for key, value in options.items():
        if value is not None and (key, value) != ("repeat", 1):
            words += [f"--{key.replace('_', '-')}", value.name if isinstance(value, Path) else str(value)]
    return shlex.join(words)


def _print_losses(trained: list[Trained], examples: int, held_out: int) -> None:
    from mcmc_bench.densities.learning.denoising import SHARE, to_be_expected

    first = trained[0]
    typer.echo(
        f"loss:    {first.held_out_loss:.4f} on {held_out} held-out examples, {first.training_loss:.4f} on {examples} of the "
        "training; 1 is the loss of a guess that knows only mean and spread"
    )
    if len(trained) > 1:
        losses = [one.held_out_loss for one in trained]
        line = f"seeds:   held-out loss {min(losses):.4f} … {max(losses):.4f} over {len(losses)}"
        if len(losses) >= FEWEST_TRAININGS:
            low, high = to_be_expected(losses)
            line += f"; one further training lies in {low:.4f} … {high:.4f} ({100 * SHARE:.0f} %)"
        typer.echo(line)


def _print_files(network: Network, stem: Path, first: Trained, data: Path | None) -> None:
    """Print the files that were written, and the commands that check the target and sample from it."""
    from mcmc_bench.densities.learning import own_examples

    weights, target = (own_examples.beside(stem, ending) for ending in (own_examples.WEIGHTS, own_examples.TARGET))
    typer.echo(f"weights: {weights} ({network.parameters} parameters, {weights.stat().st_size / 1e3:.0f} kB)")
    typer.echo(f"losses:  {own_examples.beside(stem, own_examples.LOSSES)}")
    if first.interrupted:
        steps = network.provenance["recipe"]["steps"]
        say(f"interrupted after {len(first.losses)} of {steps} steps; the files hold what was learned until then")
    if data is not None:
        typer.echo(f"target:  {target}, and its examples")
        typer.echo(f"check:   {shlex.join(['mcmc-bench', 'check', str(target)])}")
        where = ["--targets", str(stem.parent)]
    else:
        where = ["--target-set", f"weights={weights}", "--target-set", f"sigma={network.lowest_noise:g}"]
    settings = {
        "largest_noise": network.highest_noise,
        "smallest_noise": network.lowest_noise,
        "steps": 20,
        "step_size": 0.1 * network.lowest_noise**2,
    }
    words = ["mcmc-bench", "sample", stem.name, "annealed_langevin", *where, "--chains", "64", "--draws", "10"]
    words += ["--warmup", "0", *(word for key, value in settings.items() for word in ("--set", f"{key}={value:.3g}"))]
    typer.echo(f"next:    {shlex.join(words)}")
