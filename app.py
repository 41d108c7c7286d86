"""The composition root: names the commands and where each lives. It wires; it decides nothing."""

from importlib import import_module

import click
from click.exceptions import NoArgsIsHelpError

COMMANDS = {
    "serve": "ivr.commands.serve:serve",
    "ivr": "ivr.commands.node:ivr",
    "deliver": "ivr.commands.deliver:deliver",
    "web": "web.commands:web",
    "jobs": "store.commands.jobs:jobs",
    "call": "ivr.commands.call:call",
    "flow": "ivr.commands.flow:flow",
    "prompts": "prompts.commands:prompts",
    "contact": "store.commands.contact:contact",
    "calls": "store.commands.calls:calls",
    "evaluations": "store.commands.evaluations:evaluations",
    "catalogue": "store.commands.catalogue:catalogue",
    "cases": "store.commands.cases:cases",
    "statistics": "store.commands.statistics:statistics",
    "channels": "store.commands.channels:channels",
    "export": "store.commands.export:export",
    "audit": "store.commands.audit:audit",
    "db": "store.commands.db:db",
}


class Commands(click.Group):
    """Loads a command's module only when it is asked for, so that `--help` and small commands start at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Keep the order of the table: what is used first stands first."""
        return [*super().list_commands(ctx), *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that was named."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Tell a mistake in one clear line: without its context click leaves out the lines of usage."""
        try:
            return super().invoke(ctx)
        except NoArgsIsHelpError:
            raise
        except click.UsageError as mistake:
            mistake.ctx = None
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="pingjia")
def main() -> None:
    """Pingjia 评价: one key after a 12345 call, and the rating is kept truthfully."""


if __name__ == "__main__":
    main()
