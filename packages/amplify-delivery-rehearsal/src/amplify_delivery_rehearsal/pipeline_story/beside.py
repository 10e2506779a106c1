"""A chapter that people play beside others, in an account that these do not touch; it is told at its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from amplify_delivery.errors import FailedError
from amplify_delivery_rehearsal import commands
from amplify_delivery_rehearsal.pipeline_story.people import Person
from amplify_delivery_rehearsal.pipeline_story.play import Play

Command = Callable[[Person, str], None]
Fact = Callable[[str], None]


class Beside:
    """Begins when it is made. What it tells is kept until somebody hears it out."""

    def __init__(self, chapter: Callable[[Play], None], play: Play) -> None:
        self.started, self.seconds = time.monotonic(), 0.0
        self._heard: tuple[Command, Fact] | None = None
        self._kept: list[Callable[[Command, Fact], None]] = []
        self._lock, self._given_up = threading.RLock(), False
        setting = play.setting
        own = replace(
            setting,
            developer=replace(setting.developer, told=self._typed),
            devops=replace(setting.devops, told=self._typed),
            owners={name: replace(owner, told=self._typed) for name, owner in setting.owners.items()},
        )
        people = ThreadPoolExecutor(1, "beside")
        self._done = people.submit(self._play, chapter, Play(own, self._found, play.decide, play.watch))
        people.shutdown(wait=False)

    def hear_out(self, command: Command, fact: Fact) -> None:
        """What was told so far, what is still to come, and the end. Raises what the chapter has raised."""
        with self._lock:
            self._heard = command, fact
            for tell in self._kept:
                tell(command, fact)
        self._done.result()

    def give_up(self) -> None:
        """End it, if it has not ended: its command is told to, and it types no other."""
        with self._lock:
            self._given_up = True
        if not self._done.done():
            commands.interrupt_all()
            self._done.exception()

    def _play(self, chapter: Callable[[Play], None], play: Play) -> None:
        try:
            chapter(play)
        finally:
            self.seconds = time.monotonic() - self.started

    def _typed(self, person: Person, command: str) -> None:
        self._tell(lambda command_of, _: command_of(person, command))

    def _found(self, sentence: str) -> None:
        self._tell(lambda _, fact_of: fact_of(sentence))

    def _tell(self, tell: Callable[[Command, Fact], None]) -> None:
        with self._lock:
            if self._given_up:
                raise FailedError("was given up", where="the rehearsal", remedy="see what has ended the story")
            if self._heard is None:
                self._kept.append(tell)
            else:
                tell(*self._heard)
