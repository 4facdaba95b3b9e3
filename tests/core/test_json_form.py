"""The types of a dataclass's fields are what is written, read and allowed: a field stands once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, make_dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import jsonschema
import numpy as np
import pytest

from mcmc_bench.core.json_form import NOT_STORED, Digits, Limits, from_json, identity_hash, schema, to_json


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Origin(TypedDict):
    where: str


@dataclass
class Small:
    OMITS_DEFAULTS: ClassVar[bool] = True
    name: str
    value: float | None
    low: float | None = None
    flag: bool = False


@dataclass
class Whole:
    colour: Colour
    kind: Literal["a", "b"] | None
    small: list[Small]
    named: dict[str, Small | None]
    share: Annotated[float, Limits(minimum=0, maximum=1)] | None
    curve: Annotated[list[Annotated[float, Limits(type=["number", "null"])]], Digits(3)]
    origin: Origin
    anything: dict[str, Any] = field(default_factory=dict)
    cache: object = field(default=None, metadata=NOT_STORED)


def whole(**change):
    given = {
        "colour": Colour.BLUE,
        "kind": None,
        "small": [Small("zero", 0.0, low=0.0), Small("nan", float("nan"))],
        "named": {"none": None, "one": Small("one", np.float64(1.5), flag=True)},
        "share": 0.25,
        "curve": [0.123456, float("inf"), 7],
        "origin": {"where": "here"},
    }
    return Whole(**{**given, **change})


FORM = {
    "colour": "blue",
    "kind": None,
    "small": [{"name": "zero", "value": 0.0, "low": 0.0}, {"name": "nan", "value": None}],
    "named": {"none": None, "one": {"name": "one", "value": 1.5, "flag": True}},
    "share": 0.25,
    "curve": [0.123, None, 7],
    "origin": {"where": "here"},
    "anything": {},
}


def test_what_is_written_is_plain_and_follows_the_schema():
    form = to_json(whole())
    assert form == FORM
    assert json.loads(json.dumps(form, allow_nan=False)) == form
    jsonschema.Draft202012Validator.check_schema(schema(Whole))
    jsonschema.validate(form, schema(Whole))


def test_what_is_written_is_read():
    read = from_json(Whole, to_json(whole()))
    assert read.colour is Colour.BLUE
    assert read.small[0] == Small("zero", 0.0, low=0.0)
    assert read.named["one"] == Small("one", 1.5, flag=True)
    assert to_json(read) == FORM


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "green"},
        {"kind": "c"},
        {"small": [{"name": "no value"}]},
        {"small": [{"name": "b", "value": 1.0, "extra": 1}]},
        {"share": 1.5},
        {"share": "much"},
        {"origin": {}},
        {"cache": 1},
    ],
)
def test_the_schema_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(FORM | wrong, schema(Whole))


def test_a_new_field_with_a_default_is_one_line_and_older_files_are_read():
    newer = make_dataclass("Newer", [("pages", Annotated[int, Limits(minimum=1)], field(default=3))], bases=(Small,))
    older = {"name": "old", "value": 1.0}
    assert from_json(newer, older).pages == 3
    assert to_json(from_json(newer, {**older, "pages": 4})) == {**older, "pages": 4}
    jsonschema.validate(older, schema(newer))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**older, "pages": 0}, schema(newer))


def test_a_hash_sees_content_and_not_order():
    assert identity_hash(asdict(whole())) == identity_hash(dict(reversed(asdict(whole()).items())))
    assert identity_hash(asdict(whole())) != identity_hash(asdict(whole(share=0.5)))
