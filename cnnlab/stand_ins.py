"""Packages that are imported but not needed: empty modules in their place."""

import contextlib
import importlib.abc
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


@contextlib.contextmanager
def standing_in(package: str) -> Iterator[None]:
    """Let what is imported meanwhile find an empty package of this name, installed or not.

    Its names may be derived from and put around functions as decorators meanwhile; used afterwards they raise. The
    package itself can be imported as ever afterwards. Nothing happens where it is imported already.
    """
    if package in sys.modules:
        yield
        return
    finder = _Finder(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.is_over = True
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, package: str) -> None:
        self.package = package
        self.is_over = False

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] == self.package else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is no code."""


class _StandIn(ModuleType):
    def __init__(self, name: str, finder: _Finder) -> None:
        super().__init__(name)
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        finder, title = self._finder, f"{self.__name__}.{name}"

        def check(*_: Any, **__: Any) -> None:
            if finder.is_over:
                raise NotImplementedError(
                    f"{title} is needed after all, and {finder.package} was left out. Import it before Keras."
                )

        def call(_self: Any, *given: Any, **_options: Any) -> Any:
            check()
            return given[0] if given else None

        # A class: it can be called, derived from and put around a function.
        return type(name, (), {"__init__": check, "__call__": call})
