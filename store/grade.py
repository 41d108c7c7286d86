"""The five grades, and the two opposite digit codes they have outside. Rule: inside, a grade is only ever its name.

GB/T 39046-2020 A.8 numbers the grades 1 (best) to 5 (worst); the `satisfaction` field of provincial interfaces, like
the stars, counts 5 (best) to 1 (worst). A bare digit therefore means nothing until somebody says which code it is in.
"""

from enum import StrEnum


class Grade(StrEnum):
    """DB2203/T 8-2024, 6.2. The value is the grade's name on the wire, in the store and in call flows."""

    VERY_SATISFIED = "very_satisfied"  # 非常满意
    SATISFIED = "satisfied"  # 满意
    BASICALLY_SATISFIED = "basically_satisfied"  # 基本满意
    DISSATISFIED = "dissatisfied"  # 不满意
    VERY_DISSATISFIED = "very_dissatisfied"  # 非常不满意

    @property
    def stars(self) -> int:
        """5 for the best, 1 for the worst (6.2; also the provincial `satisfaction` code)."""
        return 5 - _BEST_FIRST.index(self)

    @property
    def gb_code(self) -> int:
        """1 for the best, 5 for the worst (GB/T 39046-2020 A.8 满意度代码)."""
        return 1 + _BEST_FIRST.index(self)

    @property
    def bad(self) -> bool:
        """差评: the two lowest grades, which open a follow-up (8.1)."""
        return self in (Grade.DISSATISFIED, Grade.VERY_DISSATISFIED)

    @classmethod
    def from_stars(cls, stars: int) -> "Grade":
        """Read a digit known to be stars; `ValueError` outside 1-5."""
        return cls._at(5 - stars, f"{stars} stars")

    @classmethod
    def from_gb_code(cls, code: int) -> "Grade":
        """Read a digit known to be a GB/T 39046 code; `ValueError` outside 1-5."""
        return cls._at(code - 1, f"GB/T 39046 code {code}")

    @classmethod
    def _at(cls, place: int, what: str) -> "Grade":
        if not 0 <= place < len(_BEST_FIRST):
            raise ValueError(f"{what} is no grade: both codes run from 1 to 5")
        return _BEST_FIRST[place]


_BEST_FIRST = tuple(Grade)
