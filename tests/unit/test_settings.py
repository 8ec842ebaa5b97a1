"""Parameters as records: every number under its YAML name, levers at their value in effect."""

from typing import get_args

import numpy as np
import pytest

from twin.kernels import rate
from twin.mechanisms import REGISTRY
from twin.mechanisms.chatbots import ChatbotsParams
from twin.mechanisms.ratings import RatingsParams
from twin.world.params import Declared, changed, leaves, par, value_at
from twin.world.settings import layout, settings


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_record_holds_every_number_under_its_name(name: str) -> None:
    """Numbers and switches of all mechanisms, nested sets too, as declared and without rounding."""
    params = REGISTRY[name].Params()
    record = settings(params)[0]
    for path, info in leaves(type(params)):
        if info.annotation in (float, int, bool):
            found = record
            for part in path.split("."):
                found = found[part]
            assert found == value_at(params, path), path


def test_choices_are_places_in_their_list() -> None:
    """A Literal is a number; the kernel's names for it are in the order of the declaration."""
    assert get_args(RatingsParams.model_fields["reference"].annotation) == rate.REFERENCES
    assert get_args(RatingsParams.model_fields["reporting"].annotation) == rate.REPORTING
    chosen = changed(RatingsParams(), reference="none", reporting="everyone")
    record = settings(chosen)[0]
    assert record["reference"] == rate.NONE and record["reporting"] == rate.EVERYONE


def test_levers_have_their_value_in_effect() -> None:
    """One record per arm; what is no lever is as declared."""
    arms = [{"personalisation": 0.25}, {"answers.personalisation": 0.5, "memory": False}]
    p = ChatbotsParams()
    first, second = settings(
        p, *(lambda path, arm=arm: arm.get(path, value_at(p, path)) for arm in arms)
    )
    assert first["personalisation"] == 0.25 and second["personalisation"] == p.personalisation
    assert first["memory"] and not second["memory"]
    assert second["answers"]["personalisation"] == 0.5 and second["stop"] == p.stop


def test_a_copy_with_other_values() -> None:
    """Nested values by a double underscore; a name that is not declared is refused."""
    plain = ChatbotsParams()
    other = changed(plain, stop=0.5, answers__spread=3.0, answers__feedback=0.1)
    assert (other.stop, other.answers.spread, other.answers.feedback) == (0.5, 3.0, 0.1)
    assert plain.stop != 0.5 and plain.answers.spread != 3.0
    with pytest.raises(KeyError, match="no parameter spraed"):
        changed(plain, answers__spraed=1.0)


def test_records_of_two_declarations_have_two_types() -> None:
    """numba keeps code by type: a record says which fields it has."""
    fields = layout(ChatbotsParams)
    assert fields != layout(RatingsParams)
    assert fields.fields is not None and fields.names is not None
    assert fields["answers"].names is not None and fields["stop"] == np.float64


def test_a_declaration_with_a_word_that_it_does_not_have() -> None:
    """Without a type checker a misspelt option would be lost: it is refused by name."""
    misspelt: Declared = {"sorce": "assumption"}  # type: ignore[typeddict-unknown-key]
    with pytest.raises(TypeError, match="does not declare sorce"):
        par(0.5, "a share", **misspelt)
    with pytest.raises(ValueError, match="must be finite"):
        par(float("nan"), "a share")
