"""Signatures of functions, remembered: Keras asks for several of each layer that it makes.

Of ResNet-152, whose 516 layers have two dozen different `call` and `__init__`, that is a fifth of the time.
"""

import contextlib
import inspect
import types
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

_signature, _argspec = inspect.signature, inspect.getfullargspec


@contextlib.contextmanager
def quick_signatures() -> Iterator[None]:
    """Answer `inspect.signature` and `inspect.getfullargspec` from memory meanwhile.

    For the process that builds networks one after the other: what it asks about are functions of modules, which stay.
    """
    inspect.signature, inspect.getfullargspec = _quick_signature, _quick(_argspec)  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.signature, inspect.getfullargspec = _signature, _argspec


def _quick_signature(obj: Any, **options: Any) -> inspect.Signature:
    if options:
        return _signature(obj, **options)
    obj = inspect.unwrap(obj, stop=lambda one: hasattr(one, "__signature__"))
    if isinstance(obj, types.MethodType) and _stays(obj.__func__):
        return _of_method(obj.__func__)  # bound to any layer, it takes the same
    return _of_function(obj) if isinstance(obj, type) or _stays(obj) else _signature(obj)


def _stays(function: Any) -> bool:
    """Return whether a function belongs to a module or class: one made inside another may hold a whole network."""
    if not isinstance(function, types.FunctionType) or hasattr(function, "__wrapped__"):
        return False
    return set(function.__code__.co_freevars) <= {"__class__"}


@lru_cache(maxsize=4096)
def _of_method(function: types.FunctionType) -> inspect.Signature:
    return _signature(types.MethodType(function, object()))


@lru_cache(maxsize=4096)
def _of_function(function: Any) -> inspect.Signature:
    return _signature(function)


@lru_cache(maxsize=8)
def _quick(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    remembered = lru_cache(maxsize=4096)(function)
    return lambda obj: remembered(obj) if _stays(obj) else function(obj)
