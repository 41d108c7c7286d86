"""`app.py prompts`: render, import and check the recordings callers hear."""

import json
import sys
from pathlib import Path

import click
from rich.progress import track

import settings
from prompts import bookkeeping, checking, importing, listening, recipe, rendering, reporting
from prompts.catalogue import Catalogue, PromptError
from prompts.listening_figures import FILE, Figures, FiguresUnreadable

CACHE = settings.ROOT / "build" / "voices"
FINDINGS = 1


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
            _keep(catalogue, one.language, one.prompt.id, rendering.render(one, speak))
    except PromptError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"rendered {len(work)} of {sum(len(p.recordings) for p in catalogue.prompts.values())} recordings")


@prompts.command("import")
@click.argument("name", metavar="ID")
@click.argument("language")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--voice", default="a person", show_default=True, help="who speaks, as the catalogue shall say")
@click.option("--licence", default="all rights with the recording's owner", show_default=True)
@click.option("--approved", is_flag=True, help="a native speaker has listened and approved this recording")
@_folder
def import_(
    *, name: str, language: str, file: Path, voice: str, licence: str, approved: bool, folder: Path | None
) -> None:
    """Replace the prompt ID in LANGUAGE by the recording FILE (any format; all but WAV needs ffmpeg)."""
    catalogue = _catalogue(folder)
    try:
        old = catalogue.recording(language, name)
        taken = importing.take(catalogue.prompts[name], old, file, voice=voice, licence=licence, approved=approved)
        _keep(catalogue, language, name, taken)
    except PromptError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{catalogue.path(language, name)} is now the recording of {file.name}; it should say: {old.text}")


@prompts.command()
@click.option("--listen", is_flag=True, help="listen to what changed with a speech recogniser; needs .venv-voices")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@_folder
def check(listen: bool, form: str, folder: Path | None) -> None:
    """Measure every recording and say what is wrong; exit 1 if anything is."""
    catalogue = _catalogue(folder)
    if listen:
        _listen(catalogue)
    examined = checking.examine(catalogue)
    figures = checking.listened(catalogue)
    if form == "json":
        click.echo(json.dumps(reporting.tree(examined, figures), ensure_ascii=False, indent=1))
    else:
        reporting.show(catalogue, examined, figures)
    if figures or any(one.findings for one in examined):
        sys.exit(FINDINGS)


def _keep(catalogue: Catalogue, language: str, name: str, made: rendering.Rendered) -> None:
    """The WAV first: an entry never speaks of a file that is not there yet."""
    bookkeeping.replace(catalogue.path(language, name), made.wav)
    bookkeeping.note(catalogue.folder, {(language, name): made.recording})


def _listen(catalogue: Catalogue) -> None:
    try:
        hear = listening.Whisper(CACHE)
        known = _known(catalogue)
        rounds = listening.outdated(catalogue, known, hear.description())
        heard = [listening.listen(catalogue, one, hear) for one in track(rounds, description="listening")]
    except PromptError as error:
        raise click.UsageError(str(error)) from error
    figures = listening.figures(catalogue, heard, hear.description(), known)
    bookkeeping.replace(catalogue.folder / FILE, figures.content())


def _known(catalogue: Catalogue) -> Figures | None:
    try:
        return Figures.load(catalogue.folder)
    except FiguresUnreadable:
        return None
