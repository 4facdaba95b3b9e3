"""Dataclasses as JSON: what is written, what is read and what is allowed all follow from the types of their fields.

A field that has a default may be absent. A class with ``OMITS_DEFAULTS = True`` is written without the fields that have their
default. Properties that a class names in ``ALSO_WRITTEN`` are written too. Limits of numbers, and how many digits are kept, stand in ``Annotated``. Must not know any particular dataclass.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import numpy as np

T = TypeVar("T")
Form = Callable[[Any], Any]
#: Metadata of a field that is not stored.
NOT_STORED = {"stored": False}


class Limits:
    """In ``Annotated``: keywords of JSON schema for the type, such as ``Limits(minimum=0)``."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords


Count = Annotated[int, Limits(minimum=0)]
Positive = Annotated[int, Limits(minimum=1)]
Share = Annotated[float, Limits(minimum=0, maximum=1)]
NotNegative = Annotated[float, Limits(minimum=0)]


@dataclasses.dataclass(frozen=True)
class Digits:
    """In ``Annotated``: how many significant digits of every number below are stored."""

    count: int


# ------------------------------------------------------------ writing


def to_json(value: Any) -> Any:
    """The JSON form of a dataclass: JSON types only, None for a number that is not finite."""
    cls: Any = type(value)
    return _writer(cls, None)(value)


@functools.cache
def _writer(hint: Any, digits: int | None) -> Form:
    """The function that gives the JSON form of values of a type."""
    inner, notes = _parts(hint)
    digits = next((note.count for note in notes if isinstance(note, Digits)), digits)
    if dataclasses.is_dataclass(inner):
        return _dataclass_writer(inner, digits)
    origin, arguments = get_origin(inner), get_args(inner)
    if origin in (list, tuple):
        item = _writer(arguments[0], digits)
        return lambda value: [item(one) for one in value]
    if origin is dict:
        item = _writer(arguments[1], digits)
        return lambda value: {str(key): item(one) for key, one in value.items()}
    if (optional := _not_none(inner)) is not None:
        item = _writer(optional, digits)
        return lambda value: None if value is None else item(value)
    if digits is not None:
        return lambda value: _rounded(value, digits)
    return plain


def _dataclass_writer(cls: Any, digits: int | None) -> Form:
    fields = [(field, _writer(hint, digits)) for field, hint in _stored_fields(cls)]
    further = [(name, _writer(hint, digits)) for name, hint in _also_written(cls)]
    omits = getattr(cls, "OMITS_DEFAULTS", False)

    def write(value: Any) -> dict[str, Any]:
        found = {
            field.name: form(getattr(value, field.name))
            for field, form in fields
            if not (omits and _is_default(field, getattr(value, field.name)))
        }
        return found | {name: form(getattr(value, name)) for name, form in further}

    return write


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    return field.default is not dataclasses.MISSING and (value is field.default or value == field.default)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return plain(value)


def plain(value: Any) -> Any:
    """`value` of JSON types only: paths as text, NumPy's scalars and arrays as Python's, non-finite numbers as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def identity_hash(content: Any) -> str:
    """A short hash of JSON-like content, the same whatever the order of keys."""
    return hashlib.sha256(json.dumps(plain(content), sort_keys=True).encode()).hexdigest()[:12]


# ------------------------------------------------------------ reading


def from_json(cls: type[T], content: Any) -> T:
    """The dataclass `cls` from its JSON form.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: `content` is not such a form. Not everything is checked: that is for
            `schema` to do.
    """
    hint: Any = cls
    found: T = _reader(hint)(content)
    return found


@functools.cache
def _reader(hint: Any) -> Form:
    """The function that makes values of a type from their JSON form."""
    inner, _ = _parts(hint)
    if dataclasses.is_dataclass(inner):
        return _dataclass_reader(inner)
    origin, arguments = get_origin(inner), get_args(inner)
    if origin is list:
        item = _reader(arguments[0])
        return lambda content: [item(one) for one in content]
    if origin is dict:
        item = _reader(arguments[1])
        return lambda content: {key: item(one) for key, one in content.items()}
    if (optional := _not_none(inner)) is not None:
        item = _reader(optional)
        return lambda content: None if content is None else item(content)
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        return inner
    return lambda content: content


def _dataclass_reader(cls: Any) -> Form:
    fields = {field.name: _reader(hint) for field, hint in _stored_fields(cls)}
    return lambda content: cls(**{name: fields[name](value) for name, value in content.items()})


# ------------------------------------------------------------ what is allowed


def schema(cls: Any, *, as_written: bool = False) -> dict[str, Any]:
    """The JSON schema of a dataclass, or of a typed dictionary.

    Args:
        cls: the class.
        as_written: of what `to_json` writes, where no field is absent; by default of what `from_json` reads.
    """
    definitions: dict[str, Any] = {}
    reference = _schema(cls, definitions)
    if as_written:
        for definition in definitions.values():
            definition["required"] = list(definition["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **reference, "$defs": definitions}


_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    inner, notes = _parts(hint)
    limits = {key: value for note in notes if isinstance(note, Limits) for key, value in note.keywords.items()}
    if limits and (optional := _not_none(inner)) is not None:
        return _or_null(_schema(optional, definitions) | limits)
    return _schema_of(inner, definitions) | limits


def _schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint) or typing.is_typeddict(hint):
        name = hint.__name__
        if name not in definitions:
            definitions[name] = {}  # a class may hold itself
            definitions[name] = _object_schema(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if origin is tuple and Ellipsis not in arguments:
        count = len(arguments)
        return {"type": "array", "items": _schema(arguments[0], definitions), "minItems": count, "maxItems": count}
    if origin in (list, tuple):
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if (optional := _not_none(hint)) is not None:
        return _or_null(_schema(optional, definitions))
    if origin is Literal:
        return {"enum": list(arguments)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    return {} if hint is Any else {"type": _SIMPLE[hint]}


def _object_schema(cls: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if typing.is_typeddict(cls):
        hints = list(typing.get_type_hints(cls, include_extras=True).items())
        required = [name for name, _ in hints if name in cls.__required_keys__]
    else:
        fields = _stored_fields(cls)
        hints = [(field.name, hint) for field, hint in fields] + _also_written(cls)
        missing = dataclasses.MISSING
        required = [f.name for f, _ in fields if f.default is missing and f.default_factory is missing]
    return {
        "type": "object",
        "properties": {name: _schema(hint, definitions) for name, hint in hints},
        "required": required,
        "additionalProperties": False,
    }


def _or_null(allowed: dict[str, Any]) -> dict[str, Any]:
    if "enum" in allowed:
        return allowed | {"enum": [*allowed["enum"], None]}
    if "type" in allowed:
        return allowed | {"type": [allowed["type"], "null"]}
    return {"anyOf": [{"type": "null"}, allowed]}


# ------------------------------------------------------------ types


def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without its ``Annotated``, and the notes of that."""
    if get_origin(hint) is Annotated:
        return hint.__origin__, hint.__metadata__
    return hint, ()


def _not_none(hint: Any) -> Any:
    """The type T of ``T | None``; None for other types."""
    if get_origin(hint) not in (types.UnionType, typing.Union):
        return None
    (found,) = [one for one in get_args(hint) if one is not type(None)]
    return found


def _also_written(cls: Any) -> list[tuple[str, Any]]:
    """The properties of a dataclass that are written too, with their types."""
    names = getattr(cls, "ALSO_WRITTEN", ())
    return [(name, typing.get_type_hints(getattr(cls, name).fget, include_extras=True)["return"]) for name in names]


def _stored_fields(cls: Any) -> list[tuple[dataclasses.Field[Any], Any]]:
    """The fields of a dataclass that are stored, with their types."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return [(field, hints[field.name]) for field in dataclasses.fields(cls) if field.metadata.get("stored", True)]
