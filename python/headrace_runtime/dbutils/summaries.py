"""`dbutils.data`: a first look at a DataFrame."""

from __future__ import annotations

from .. import display
from .help import WithHelp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Summaries(WithHelp):
    """Summaries of data."""

    def summarize(self, df: Any, precise: bool = False) -> None:
        """Show count, mean, deviation, smallest, quartiles and largest of each column; quartiles of Spark are close, not exact."""
        if display.is_spark_frame(df):
            display.display(df.summary())
        elif hasattr(df, "describe"):
            described = df.describe(include="all")
            display.display(described.reset_index(names="summary"))
        else:
            raise TypeError(f"dbutils.data.summarize takes a DataFrame of Spark or pandas, not a {type(df).__name__}")
