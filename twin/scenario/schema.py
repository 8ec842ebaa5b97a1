"""The JSON Schema of scenario files, generated from the declared parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from twin.mechanisms import REGISTRY
from twin.mechanisms.policies import Policy
from twin.scenario.model import OFF, Head, MetricsParams
from twin.scenario.outside import folder_key
from twin.world.mechanism import Mechanism
from twin.world.params import Params

_VALIDATION: Literal["validation"] = "validation"
_SWITCH = {"enabled": {"type": "boolean", "description": "false leaves the mechanism out"}}
_CLASS = {"type": "string", "description": "a mechanism of your own: package.module.Class"}
_FROM = {"type": "string", "description": "the folder that holds its package"}
_OWN = {"class": _CLASS, "from": _FROM}
_ANOTHER = {"type": "object", "properties": _OWN, "required": ["class"]}

_RANKER = {
    "class": {"type": "string", "description": "a ranker of your own: package.module.Class"},
    "from": _FROM,
    "url": {"type": "string", "description": "or the address of a service that ranks"},
}


def json_schema(registry: Mapping[str, type[Mechanism[Any]]] = REGISTRY) -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file, for completion in editors."""
    # policies are a list at the top level, not a block below mechanisms
    kinds = {name: kind.Params for name, kind in registry.items() if name != "policies"}
    models: list[type[Params]] = [*kinds.values(), Head, MetricsParams, Policy]
    refs, schema = models_json_schema(
        [(model, _VALIDATION) for model in models], title="twin scenario"
    )
    definitions = schema["$defs"]
    # the top level is put together here; its part must not stand in the definitions as well
    head = definitions.pop("Head")["properties"]
    blocks = {}
    for name, model in kinds.items():
        ref = refs[(model, _VALIDATION)]["$ref"].rpartition("/")[2]
        own = name not in REGISTRY or registry[name] is not REGISTRY[name]
        own &= registry[name].replaced_by != "none"
        brought = {"class": _CLASS, folder_key(name): _FROM}
        definitions[ref]["properties"].update(_SWITCH | brought if own else _SWITCH)
        if name == "recommender":
            _add_ranker(definitions, definitions[ref]["properties"])
        blocks[name] = {
            "anyOf": [
                {"$ref": f"#/$defs/{ref}"},
                # its parameters are known once the class is
                *([_ANOTHER] if not own and registry[name].replaced_by != "none" else []),
                {"const": OFF, "description": "leaves the mechanism out"},
            ],
            "description": (registry[name].__doc__ or "").split("\n")[0],
        }
    definitions["Policy"]["properties"]["use"] = {
        "type": "string",
        "description": "a policy file, or the name of one that comes with twin; the other keys here "
        "override what it says",
    }
    for definition in definitions.values():
        _describe_parameters(definition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "twin scenario",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "extends": {
                "type": "string",
                "description": "another scenario file, or package:twin/NAME for one that comes with "
                "twin; this one overrides its values",
            },
            **head,
            "start": {"type": "string", "format": "date", "description": "first day, midnight UTC"},
            "mechanisms": {
                "type": "object",
                "properties": blocks,
                # a name that twin does not know can only be a mechanism of one's own
                "additionalProperties": _ANOTHER,
            },
            "policies": {"type": "array", "items": {"$ref": "#/$defs/Policy"}},
            "metrics": {"$ref": "#/$defs/MetricsParams"},
        },
        "$defs": definitions,
    }


def _add_ranker(definitions: dict[str, Any], known: dict[str, Any]) -> None:
    """What the recommender's block may have beside the parameters ``known`` that come with twin."""
    if "ranker" in known:  # the scenario's own, whose parameters are known
        definitions[known["ranker"]["$ref"].rpartition("/")[2]]["properties"].update(_RANKER)
        return
    known["ranker"] = {
        "type": "object",
        "description": "a ranker of your own, and its parameters",
        "properties": _RANKER,
        "anyOf": [{"required": ["class"]}, {"required": ["url"]}],
    }
    known["ranking"]["enum"] = [*known["ranking"]["enum"], "own"]


def _describe_parameters(definition: dict[str, Any]) -> None:
    """Put unit, source and the mark of a lever into each description, where an editor shows them;
    a file gives only what it changes, so nothing is required."""
    definition.pop("required", None)
    for each in definition.get("properties", {}).values():
        extra = [
            f"unit: {each['unit']}" if each.get("unit", "1") not in ("1", "s") else "",
            f"source: {each['source']}" if each.get("source") else "",
            "lever" if each.get("lever") else "",
        ]
        note = "; ".join(part for part in extra if part)
        if note:
            each["description"] = f"{each.get('description', '')} ({note})"
        # keys of our own, which no schema knows
        for key in ("unit", "source", "lever", "per", "grid", "path"):
            each.pop(key, None)
