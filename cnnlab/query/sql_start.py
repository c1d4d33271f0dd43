"""Starts `sql_child` without pandas: pyarrow and DuckDB import it where they find it, half of the start."""

import sys
from typing import Any


class WithoutPandas:
    """Stands before the finders of modules and finds no pandas."""

    def find_spec(self, name: str, *_: Any) -> None:
        """Raise what an import of a missing module raises."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())  # type: ignore[arg-type]
    from cnnlab.query.sql_child import main

    main()
