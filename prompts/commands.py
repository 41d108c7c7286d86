"""`app.py prompts`: render, import and check the recordings callers hear."""

from pathlib import Path

import click
from rich.progress import track

import settings
from prompts import bookkeeping, recipe, rendering
from prompts.catalogue import Catalogue, PromptError

CACHE = settings.ROOT / "build" / "voices"


@click.group()
def prompts() -> None:
    """Render, import and check the recordings callers hear."""


def _catalogue(folder: Path | None) -> Catalogue:
    try:
        return Catalogue.load(folder or settings.load().prompts)
    except PromptError as error:
        raise click.UsageError(str(error)) from error


_folder = click.option("--folder", type=click.Path(path_type=Path), help="prompts folder; default the setting PROMPTS")


@prompts.command()
@click.argument("ids", nargs=-1)
@click.option("--engine", type=click.Choice(["kokoro", "espeak-ng"]), default="kokoro", help="who speaks")
@_folder
def render(ids: tuple[str, ...], engine: str, folder: Path | None) -> None:
    """Speak what changed in the catalogue (all of it, or the IDS named); needs .venv-voices, see `make voices`."""
    catalogue = _catalogue(folder)
    try:
        for name in ids:
            catalogue.recording(catalogue.languages[0], name)
        work = list(rendering.changed(catalogue, recipe.KOKORO if engine == "kokoro" else recipe.ESPEAK, ids))
        if not work:
            click.echo("nothing changed, nothing rendered")
            return
        speak = rendering.kokoro(catalogue, CACHE) if engine == "kokoro" else rendering.espeak()
        for one in track(work, description=f"speaking with {engine}"):
            made = rendering.render(one, speak)
            bookkeeping.replace(catalogue.path(one.language, one.prompt.id), made.wav)
            bookkeeping.note(catalogue.folder, {(one.language, one.prompt.id): made.recording})
    except PromptError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"rendered {len(work)} of {sum(len(p.recordings) for p in catalogue.prompts.values())} recordings")
