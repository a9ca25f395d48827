"""`completion`: commands, configurations and versions completed by the shell."""

from __future__ import annotations

import click

from llmops_tui.cli.shell import Shell

VARIABLE = "_LLMOPS_TUI_COMPLETE"

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("name", metavar="[bash|zsh|fish]", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, name: str) -> int:
    """Print the script that completes commands in your shell.

    \b
    Keep it where your shell looks for it:
      llmops-tui completion bash > ~/.local/share/bash-completion/completions/llmops-tui
      llmops-tui completion zsh > ~/.zfunc/_llmops-tui
      llmops-tui completion fish > ~/.config/fish/completions/llmops-tui.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    shell = ctx.find_object(Shell)
    kind = get_completion_class(name)
    assert shell is not None
    assert kind is not None
    # The base class's source: that of bash starts bash to ask for its version.
    script = ShellComplete.source(kind(ctx.find_root().command, {}, "llmops-tui", VARIABLE))
    shell.print(script.strip("\n"))
    return 0
