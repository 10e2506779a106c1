"""Which of the backend's Lambda runtimes have aged out, or will soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from amplify_delivery.changes.runtimes import Life
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.output import counted

_SOON = timedelta(days=180)
_PLACES = 3


def judge(functions: Mapping[str, Sequence[str]], lives: Mapping[str, Life], today: date) -> Line:
    """Line `runtimes`: `functions` by runtime, and what is known of the runtimes; `today` is UTC."""
    ended, ends = [], []
    for runtime, places in sorted(functions.items()):
        life = lives.get(runtime)
        if life is None:
            continue
        where = ", ".join(sorted(places)[:_PLACES]) + (f" and {len(places) - _PLACES} more" if len(places) > 3 else "")
        if life.no_update is not None and life.no_update <= today:
            ended.append(f"{runtime} ({where}): Lambda has updated no function with it since {life.no_update}")
        elif life.no_create is not None and life.no_create <= today:
            ended.append(f"{runtime} ({where}): Lambda has made no new function with it since {life.no_create}")
        elif life.no_create is not None and life.no_create <= today + _SOON:
            ends.append(f"{runtime} ({where}): Lambda makes no new function with it from {life.no_create} on")
        elif life.deprecated is not None and life.deprecated <= today:
            ends.append(f"{runtime} ({where}): out of support since {life.deprecated}")
    successors = {life.successor for runtime in functions if (life := lives.get(runtime)) and life.successor}
    remedy = f"raise them in the Amplify project ({', '.join(sorted(successors)) or 'a newer one'}), test, export again"
    if ended:
        return Line("runtimes", "error", "; ".join([*ended, *ends]), remedy)
    if ends:
        return Line("runtimes", "warning", "; ".join(ends), remedy)
    total = sum(map(len, functions.values()))
    if not total:
        return Line("runtimes", "ok", "the backend has no functions")
    return Line("runtimes", "ok", f"{counted(total, 'function')}, no runtime ends within {_SOON.days} days")
