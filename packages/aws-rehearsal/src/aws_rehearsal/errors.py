"""What a user of this package can meet and do something about."""

from __future__ import annotations


class RehearsalError(Exception):
    """A user's mistake, or something that is not to be had: never a defect of this package.

    `message` says what is wrong; `where` is a file or a command; `remedy` is what to do next.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        self.message, self.where, self.remedy = message, where, remedy
        super().__init__(self.__str__())

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  -> {self.remedy}" if self.remedy else text


class SetupError(RehearsalError):
    """A tool that is needed is not there and could not be had."""
