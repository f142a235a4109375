"""Design §4 is written once in Python: in `tests/oracle`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "oracle"))

from condition import compile_condition  # noqa: E402
from score import Scorer, latest_answers, order, share_of  # noqa: E402

__all__ = ["Scorer", "compile_condition", "latest_answers", "order", "share_of"]
