"""The commands of a build's phases, run in a shell whose directory and variables live on between phases.

"In buildspec version 0.2, CodeBuild runs all build commands in the same instance of the default shell in the build
environment": the commands of one phase share one shell; its variables, exported or not, and where it stood are kept
when it ends, and the next phase's shell starts from there. A command that ends the shell (`exit`) ends itself only, as
on AWS.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_PATH = "/usr/local/bin:/usr/bin:/bin"
_NAMES = r"set | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'"
_KEEP = r"""
__codebuild_keep() {
  unset IFS
  for __codebuild_name in $(@NAMES@); do
    case " $__codebuild_own " in *[[:space:]]"$__codebuild_name"[[:space:]]*) continue ;; esac
    case $__codebuild_name in __codebuild_*|_|BASH*|PIPESTATUS|LINENO) continue ;; esac
    eval "[ -n \"\${$__codebuild_name+x}\" ]" || continue
    eval "__codebuild_value=\${$__codebuild_name-}"
    printf "%s='" "$__codebuild_name"
    while :; do
      case $__codebuild_value in *\'*) ;; *) break ;; esac
      printf "%s'\\\\''" "${__codebuild_value%%\'*}"
      __codebuild_value=${__codebuild_value#*\'}
    done
    printf "%s'\n" "$__codebuild_value"
  done
}
""".replace("@NAMES@", _NAMES)
"""Prints every variable that is no shell's own, as an assignment. `set` alone also prints what nobody may assign. The
shell quotes by itself: a process for each variable was 70 ms of processor time of each phase."""


@dataclass(frozen=True)
class CommandFailure:
    """The command that failed a phase, in CodeBuild's words."""

    command: str
    code: int

    def __str__(self) -> str:
        return f"Error while executing command: {self.command.strip()}. Reason: exit status {self.code}"


class Shell:
    """The shell of one build; `run` runs a command line to its end and says its exit code."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        environment: Mapping[str, str],
        directory: Path,
        run: Callable[[list[str]], int],
    ) -> None:
        self._kind = kind
        self._folder = folder
        self._run = run
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cwd").write_text(f"{directory}\n", encoding="utf-8")
        lines = [
            f"export {name}={shlex.quote(value)}\n" for name, value in environment.items() if _NAME.fullmatch(name)
        ]
        (folder / "env").write_text("".join(lines), encoding="utf-8")

    def run_commands(self, phase: str, commands: tuple[str, ...], succeeding: bool) -> CommandFailure | None:
        """Run the commands of a phase one after another until one fails."""
        done = 0
        # A command that ends the shell with success is followed by a new shell for the rest: one turn per command.
        while done < len(commands):
            script = self._script(phase, commands, done, succeeding)
            code = self._run([self._kind, str(script)])
            done = int((self._folder / "index").read_text(encoding="utf-8"))
            if code:
                return CommandFailure(commands[done - 1], code)
        return None

    def variables(self) -> dict[str, str]:
        """The exported variables as they are now."""
        command = [self._kind, "-c", f". {shlex.quote(str(self._folder / 'env'))} && exec /usr/bin/env -0"]
        done = subprocess.run(command, capture_output=True, env={"PATH": _PLAIN_PATH}, timeout=30, check=False)
        pairs = (item.partition("=") for item in done.stdout.decode(errors="replace").split("\0") if item)
        return {name: value for name, _, value in pairs}

    def _script(self, phase: str, commands: tuple[str, ...], done: int, succeeding: bool) -> Path:
        env, cwd, index = (shlex.quote(str(self._folder / name)) for name in ("env", "cwd", "index"))
        lines = [
            f"__codebuild_own=$({_NAMES})",
            _KEEP,
            f". {env}",
            f'cd "$(cat {cwd})" || exit 1',
            f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}",
            # A function: the names of files are quoted already, where they hold blanks.
            f"__codebuild_end() {{ export -p > {env}; __codebuild_keep >> {env}; pwd > {cwd}; }}",
            "trap __codebuild_end EXIT",
        ]
        for number, command in enumerate(commands[done:], done + 1):
            file = self._folder / f"{phase}.{number}.sh"
            file.write_text(f"{command}\n", encoding="utf-8")
            lines += [
                f"echo {number} > {index}",
                f"printf '%s\\n' {shlex.quote(f'[Container] Running command {command.strip()}')}",
                # A file of its own: a command with broken quoting is that command's failure, not the script's.
                f". {shlex.quote(str(file))}",
                "__codebuild_status=$?",
                '[ "$__codebuild_status" = 0 ] || exit "$__codebuild_status"',
            ]
        script = self._folder / f"{phase}.sh"
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return script
