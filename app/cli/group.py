"""A group of commands that answers a misspelt name with the one that was probably meant."""

from __future__ import annotations

import difflib

import click


class CommandGroup(click.Group):
    """Commands by name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            group = " ".join(["billtide", *ctx.command_path.split()[1:]])
            near = difflib.get_close_matches(args[0], names, n=1)
            meant = f"did you mean `{group} {near[0]}`?" if near else f"`{group} --help` lists them."
            ctx.fail(f"there is no command {args[0]!r}; {meant}")
        return super().resolve_command(ctx, args)
