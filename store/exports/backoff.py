"""When to try again. Rule: twice as long each time, up to a bound, spread so that a recovered platform is not stormed.

PURE: chance comes as an argument.
"""

from datetime import timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=6)


def pause(attempts: int, chance: float, asked: timedelta | None = None) -> timedelta:
    """Give the pause after so many attempts (from 1 on). `chance`: 0 to 1; `asked`: the platform's Retry-After.

    Half of the pause is certain, half by chance. What the platform asks for is kept, within `LONGEST`.
    """
    doublings = min(attempts - 1, 20)  # past this it is LONGEST anyway, and the number stays small
    full = min(FIRST * int(2**doublings), LONGEST)
    own = full / 2 + full / 2 * chance
    return max(own, min(asked, LONGEST)) if asked is not None else own
