"""Whether a cell is one of a layout's words: compared folded, or, for a word between slashes, by the whole pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tthc.domain.text import fold
from tthc.reference.layout_faults import is_pattern


class Words:
    """Word → what it means. A word that is listed beats every pattern; of patterns the first that fits counts."""

    def __init__(self, codes: Mapping[str, object]) -> None:
        self._plain = {fold(word): code for word, code in codes.items() if not is_pattern(word)}
        self._patterns = [
            (re.compile(word[1:-1], re.IGNORECASE), code) for word, code in codes.items() if is_pattern(word)
        ]

    def __contains__(self, word: object) -> bool:
        return self.get(str(word), self) is not self

    def get(self, word: str, default: object = None) -> object:
        """What a cell means, `default` where no word fits it."""
        key = fold(word)
        if key in self._plain:
            return self._plain[key]
        return next((code for pattern, code in self._patterns if pattern.fullmatch(key)), default)
