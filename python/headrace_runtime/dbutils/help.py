"""`help()` of each utility, made from signatures and docstrings so that it cannot grow old."""

from __future__ import annotations


class WithHelp:
    def help(self, name: str | None = None) -> None:
        """Print the methods, or one method."""
        import inspect

        names = [name] if name else [key for key in dir(self) if not key.startswith("_") and key != "help"]
        for key in names:
            method = getattr(self, key)
            if callable(method):
                signature = str(inspect.signature(method)).replace("'", "")
                print(f"{key}{signature}: {(method.__doc__ or '').strip()}")
