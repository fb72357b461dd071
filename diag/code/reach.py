"""Is a function reached, or only called by code that nobody calls itself?"""

from __future__ import annotations

from diag.code.files import is_test
from diag.code.outlines import Outlines
from diag.code.uses import Meant, find_uses, is_used_elsewhere

_MOST_FUNCTIONS = 40


def is_unreached(meant: Meant, outlines: Outlines) -> bool:
    """Whether every way back to it ends in a function that nobody is seen to call.

    False where one way ends outside of all functions, in one that a decorator or the language may call, or in
    one whose name something else uses; also where there are too many ways, or nobody calls it at all.
    """
    left, seen = [meant], {meant}
    called = False
    while left:
        one = left.pop()
        uses = [use for use in find_uses(one, outlines) if not is_test(use[0])]
        if one.function.called_outside or (not uses and is_used_elsewhere(one, outlines)):
            return False
        called = called or bool(uses)
        for path, line in uses:
            around = outlines.of(path).find_at(line)
            if around is None or len(seen) > _MOST_FUNCTIONS:
                return False
            caller = Meant(path, around)
            if caller not in seen:
                seen.add(caller)
                left.append(caller)
    return called
