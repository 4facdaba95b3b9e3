"""`mcmc-bench train`: learn a density from examples. Thin: `densities.learning` does the work."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcmc_bench.cli.console import ExitCode, Group, bar, clear_errors, say
from mcmc_bench.cli.options import TargetsFolder

if TYPE_CHECKING:
    from mcmc_bench.densities.learning.network import Network
    from mcmc_bench.densities.learning.train import Recipe, Trained

GROUP = Group.RUN
EXAMPLES = ("mcmc-bench train digits", "mcmc-bench train mine --data images.npy")
#: What PyTorch takes, however many trainings follow the first.
LARGEST_SEED = 2**32 - 1
#: Of a prediction interval: from fewer trainings it is so wide that it says nothing.
FEWEST_TRAININGS = 4
DATA_HELP = "Examples of your own, one array: (number, height, width) up to 28 × 28, or (number, dim)."


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A target that is learned, or a name for your own data.")],
    data: Annotated[Path | None, typer.Option(metavar="FILE.npy", help=DATA_HELP)] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the examples of a target are that does not come with them."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go; made if it is not there.")
    ] = Path("my_targets"),
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Of the training.")] = 0,
    repeat: Annotated[
        int, typer.Option(min=1, help="Trainings, with seeds in turn: how much is luck? The first one is kept.")
    ] = 1,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the optimiser; the data set's own by default.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(min=1, help="Units of each layer; the data set's own by default.")
    ] = None,
    lowest_noise: Annotated[
        float | None, typer.Option(help="σ of the sharpest density that is learned; by the data's spread by default.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processors that PyTorch may use.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    targets: TargetsFolder = None,
) -> None:
    """Learn the density of examples at every noise level: denoising score matching of an energy network.

    Needs PyTorch: pip install -e '.[train]' in a clone. Writes NAME.weights.npz and a picture of the loss; for data of your
    own also the examples and NAME.py, a target that every command takes. After Ctrl-C they hold what was learned until then.
    """
    from mcmc_bench.catalog.files import list_targets, training_set
    from mcmc_bench.densities.learning import own_examples
    from mcmc_bench.densities.learning import train as training
    from mcmc_bench.densities.learning.network import write

    stem = output / name
    with clear_errors():
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
        endings = [own_examples.WEIGHTS, own_examples.LOSSES] + (
            [] if data is None else [own_examples.TARGET, own_examples.EXAMPLES]
        )
        if not force:
            own_examples.check_free([own_examples.beside(stem, ending) for ending in endings])
        _needs_pytorch(threads)
        own_examples.check_folder(output)

        trained = _one(examples, held_out, recipe, name=name, seed=seed)
        others: list[Trained] = []

        def with_others() -> Network:
            return training.with_provenance(
                trained, name=name, seed=seed, recipe=recipe,
                command=_command(name, data=data, seed=seed, repeat=len(others) + 1, **asked),
                others=[other.held_out_loss for other in others],
            )  # fmt: skip

        # Before any other training, which may fail.
        network = with_others()
        if data is None:
            write(own_examples.beside(stem, own_examples.WEIGHTS), network)
        else:
            own_examples.write_target(stem, network, given, data)
        training.draw_losses(trained, own_examples.beside(stem, own_examples.LOSSES), name)

        interrupted = trained.interrupted
        while len(others) + 1 < repeat and not interrupted:
            other = _further(
                examples,
                held_out,
                recipe,
                name=name,
                seed=seed + len(others) + 1,
                kept=own_examples.beside(stem, own_examples.WEIGHTS),
            )
            interrupted = other is None or other.interrupted
            if other is not None and not interrupted:
                others.append(other)
                network = with_others()
                write(own_examples.beside(stem, own_examples.WEIGHTS), network)
    _say_what_came_out(network, stem, [trained, *others], len(examples), len(held_out), data)
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _refuse_without_use(folder: Path | None, targets: Path | None) -> None:
    """Options that data of one's own leave nothing to do for."""
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


def _one(examples: object, held_out: object, recipe: Recipe, *, name: str, seed: int) -> Trained:
    from mcmc_bench.densities.learning.train import train as learn

    with bar(f"learning {name}, seed {seed}") as progress:
        return learn(
            examples, held_out, recipe, seed=seed,  # type: ignore[arg-type]
            progress=lambda step, loss: progress(f"loss {loss:.3f}", step, recipe.steps),
        )  # fmt: skip


def _further(examples: object, held_out: object, recipe: Recipe, *, name: str, seed: int, kept: Path) -> Trained | None:
    """As `_one`, when the first training is done and stored in `kept`; None where Ctrl-C came before the first step."""
    try:
        return _one(examples, held_out, recipe, name=name, seed=seed)
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


def _say_what_came_out(
    network: Network, stem: Path, trained: list[Trained], examples: int, held_out: int, data: Path | None
) -> None:
    from mcmc_bench.densities.learning import own_examples
    from mcmc_bench.densities.learning.denoising import SHARE, to_be_expected

    first, recipe = trained[0], network.provenance["recipe"]
    typer.echo(
        f"loss:    {first.held_out_loss:.4f} on {held_out} held-out examples, {first.training_loss:.4f} on {examples} of the "
        "training; 1 is that of knowing mean and spread alone"
    )
    if len(trained) > 1:
        losses = [one.held_out_loss for one in trained]
        line = f"seeds:   held-out loss {min(losses):.4f} … {max(losses):.4f} over {len(losses)}"
        if len(losses) >= FEWEST_TRAININGS:
            low, high = to_be_expected(losses)
            line += f"; one further training lies in {low:.4f} … {high:.4f} ({100 * SHARE:.0f} %)"
        typer.echo(line)
    weights = own_examples.beside(stem, own_examples.WEIGHTS)
    typer.echo(f"weights: {weights} ({network.parameters} parameters, {weights.stat().st_size / 1e3:.0f} kB)")
    typer.echo(f"losses:  {own_examples.beside(stem, own_examples.LOSSES)}")
    if first.interrupted:
        say(
            f"interrupted after {len(first.losses)} of {recipe['steps']} steps; the files hold what was learned until then"
        )
    if data is not None:
        typer.echo(f"target:  {own_examples.beside(stem, own_examples.TARGET)}, and its examples")
        typer.echo(
            f"check:   {shlex.join(['mcmc-bench', 'check', str(own_examples.beside(stem, own_examples.TARGET))])}"
        )
        where = ["--targets", str(stem.parent)]
    else:
        where = ["--target-set", f"weights={weights}", "--target-set", f"sigma={network.lowest_noise:g}"]
    settings = {
        "largest_noise": network.highest_noise, "smallest_noise": network.lowest_noise, "steps": 20,
        "step_size": 0.1 * network.lowest_noise**2,
    }  # fmt: skip
    words = ["mcmc-bench", "sample", stem.name, "annealed_langevin", *where, "--chains", "64", "--draws", "10"]
    words += ["--warmup", "0", *(word for key, value in settings.items() for word in ("--set", f"{key}={value:.3g}"))]
    typer.echo(f"next:    {shlex.join(words)}")
