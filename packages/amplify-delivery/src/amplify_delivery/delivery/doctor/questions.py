"""Questions that are asked at the same time; one that cannot be asked stops none of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from amplify_delivery.delivery.doctor.asking.clients import NotKnownError
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.errors import DeliveryError

AT_ONCE = 8
"""AWS throttles an account's reads of IAM and Service Quotas at a few calls a second."""
Value = TypeVar("Value")


@dataclass(frozen=True)
class Question:
    """What is asked, and judged. `subjects` are those of its lines, for when there is no answer."""

    subjects: tuple[str, ...]
    ask: Callable[[], Iterable[Line]]
    of_account: bool = True
    """Whether it is asked of the account: with nobody's credentials, or somebody else's, there is no answer."""


def answered(questions: Sequence[Question]) -> list[Line]:
    """The lines of all questions, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [line for lines in pool.map(_answer, questions) for line in lines]


def answered_without_account(questions: Sequence[Question], why: str) -> list[Line]:
    """The same, where the account cannot be asked."""

    def unasked(question: Question) -> Question:
        lines = [Line(subject, "not known", why) for subject in question.subjects]
        return replace(question, ask=lambda: lines) if question.of_account else question

    return answered([unasked(question) for question in questions])


def _answer(question: Question) -> list[Line]:
    try:
        return list(question.ask())
    except NotKnownError as error:
        return [_unknown(subject, error, error.right) for subject in question.subjects]
    except DeliveryError as error:
        return [_unknown(subject, error, "") for subject in question.subjects]


def _unknown(subject: str, error: DeliveryError, right: str) -> Line:
    said = f"{error.where}: {error.message}" if error.where else error.message
    return Line(subject, "not known", said, error.remedy, right)


class Once(Generic[Value]):
    """A value that several questions need, found out by the first of them. Its error is raised to all."""

    def __init__(self, find: Callable[[], Value]) -> None:
        self._find, self._lock = find, threading.Lock()
        self._found: list[Value] = []
        self._error: DeliveryError | None = None

    def __call__(self) -> Value:
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._found:
                try:
                    self._found.append(self._find())
                except DeliveryError as error:
                    self._error = error
                    raise
            return self._found[0]
