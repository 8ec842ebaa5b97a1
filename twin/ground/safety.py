"""Whether code that did not come with twin may run (``--safe``, TWIN_SAFE=1: it may not).

What a scenario or an experiment's folder names is data, except for the code of classes and
functions. It is imported in two places, and both ask here first.
"""

from __future__ import annotations

import os

VARIABLE = "TWIN_SAFE"
MEND = "leave out --safe and TWIN_SAFE only if you trust it"


def refused(module: str) -> str:
    """Why a module may not be imported; empty if it may."""
    on = os.environ.get(VARIABLE, "") not in ("", "0")
    # what is below the package that runs cannot be another's: it is imported already
    if not on or module == "twin" or module.startswith("twin."):
        return ""
    return f"{module} is code that did not come with twin, of which --safe runs none"
