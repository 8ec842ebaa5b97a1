"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from twin.scenario import Scenario

sets = click.option("--set", "sets", multiple=True, metavar="PATH=VALUE",
                     help="Lay a value on the scenario, e.g. --set audience.initial=1000. May be given many times.")
policies = click.option("--policy", "policies", multiple=True, metavar="FILE[@TIME]",
                         help="Add a policy file, such as scenarios/policies/chronological.yaml@90d. May be given many times.")
oracle = click.option("--oracle", is_flag=True, help="Let the feed rank by what people will truly enjoy: an upper reference that no "
                       "real platform can reach.")
file = click.argument("scenario", type=click.Path(path_type=Path))
folder = click.argument("run", metavar="DIR", type=click.Path(path_type=Path))


quiet = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")


def loaded(path: Path, sets: tuple[str, ...] = (), policies: tuple[str, ...] = ()) -> Scenario:
    """The scenario of a command line. Raises ScenarioError."""
    from twin.scenario import load

    return load(path, sets, policies)
