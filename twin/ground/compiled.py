"""How kernels are compiled, and where numba keeps their machine code.

`kernel` compiles for the arrays that a function is given and keeps the code for the next process;
`inlined` puts a function's body into the kernels that call it. Both divide as processors do
(numpy's error model): a division by zero gives infinity or NaN, where Python's check of every
divisor would keep loops out of vector registers; so kernels guard those divisors that can be zero.
There is no fastmath: sums keep their order, and multiplications and additions are never fused, so
that machines agree. Kernels release Python's lock.

numba's own cache looks at the file of the function that it compiles and at no file that this one
calls, so after an update of one kernel another could keep running its old machine code. Here
the code of a file lies in a folder named by the digest of the file and of all files of the package
that it imports, directly or through others: a changed kernel recompiles what uses it, and nothing
else. ``NUMBA_CACHE_DIR`` is respected as the place under which these folders are made.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import types
from numba.core.caching import IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering
from numba.np import numpy_support

from twin.ground.places import cache_home, spare, warned

KEPT = 3
"""Folders of former versions of a file that are kept, newest first: another process may still run
them."""
PACKAGE = Path(__file__).parent.parent
_IMPORT = re.compile(
    r"^\s*(?:from\s+twin((?:\.\w+)*)\s+import\s+(\([^)]*\)|[^\n#]*)|import\s+twin((?:\.\w+)+))",
    re.MULTILINE,
)


def imported(path: Path, package: Path = PACKAGE) -> frozenset[Path]:
    """The files of the package that a file imports, itself included, directly or through others."""
    found, waiting = {path}, [path]
    while waiting:
        for origin, names, plain in _IMPORT.findall(waiting.pop().read_text(encoding="utf-8")):
            base = package.joinpath(*(origin or plain).split(".")[1:])
            # a name that is imported may be a module itself
            inner = [base / name for name in re.findall(r"(\w+)(?:\s+as\s+\w+)?", names)]
            for one in (base, *inner):
                for file in (one.with_suffix(".py"), one / "__init__.py"):
                    if file.is_file() and file not in found:
                        found.add(file)
                        waiting.append(file)
    return frozenset(found)


def folder(path: Path, package: Path = PACKAGE) -> Path:
    """Where the machine code of a file as it stands is kept: inside the package or, where that
    cannot be written, the user's cache."""
    digest = hashlib.blake2b(digest_size=8)
    # sorted, and by relative path: the digest is the same wherever the package lies
    for file in sorted(imported(path, package)):
        digest.update(os.path.relpath(file, package).encode() + file.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        base = Path(given)
    elif os.access(package, os.W_OK):
        base = package / "__pycache__"
    else:
        base = cache_home()
    return base / "kernels" / f"{path.stem}-{digest.hexdigest()}"


def prepare(place: Path) -> Path:
    """Make the folder, and drop what is left of older versions of the same file."""
    place.mkdir(parents=True, exist_ok=True)
    # in use: folders are dropped from the oldest on
    os.utime(place)
    stem = place.name.rpartition("-")[0]
    others = sorted(
        place.parent.glob(f"{stem}-*"), key=lambda other: other.stat().st_mtime, reverse=True
    )
    for old in others[KEPT + 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return place


@functools.cache
def _place(path: Path) -> Path:
    return usable(folder(path))


def usable(place: Path) -> Path:
    """The folder, made; or one of the same name in a temporary place, with a warning, where it
    cannot be written."""
    try:
        prepare(place)
        if os.access(place, os.W_OK | os.X_OK):
            return place
        reason = "it may not be written"
    except OSError as error:
        reason = f"{error.filename or place}: {error.strerror or error}"
    other = spare() / "kernels"
    warned(
        f"machine code of kernels cannot be kept in {place.parent}: {reason}; it is kept in "
        f"{other} for now (set NUMBA_CACHE_DIR to a folder that can be written)"
    )
    return prepare(other / place.name)


# numba describes the dtype of a record field by field at every call that is given one: a tenth of a
# millisecond, in every serving window
numpy_support.from_struct_dtype = functools.cache(numpy_support.from_struct_dtype)


class _Index(IndexDataCacheFile):
    """numba's index of the code of one function, by the types of its arguments; one that names a
    class which has moved since is of an older version, and empty."""

    def _load_index(self) -> Any:
        try:
            return super()._load_index()  # type: ignore[no-untyped-call]
        except (AttributeError, ImportError):
            return {}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call, and keep its machine code."""
    compiled = numba.njit(error_model="numpy", nogil=True)(function)
    # numba knows one folder for all functions: it is set for this one and put back
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(_place(Path(str(sys.modules[function.__module__].__file__))))  # type: ignore[attr-defined]
    try:
        compiled.enable_caching()  # looks at the folder now, and at no later time
        compiled._cache._cache_file.__class__ = _Index  # type: ignore[attr-defined]
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
    return compiled


class _PartLibrary(JITCodeLibrary):
    """The code of a part: optimised and made machine code with the kernels that take it in, and not
    before."""

    def _optimize_final_module(self) -> None:
        """Left to the kernels."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._verify_declare_only_symbols()  # type: ignore[no-untyped-call]
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)  # type: ignore[no-untyped-call]
class _PartLowering(NativeLowering):
    """numba's lowering, into such a library."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        # there is no machine code yet that numba could make an entry point of
        state.flags.no_compile = True
        super().run_pass(state)  # type: ignore[no-untyped-call]
        # what numba knows this signature of the part by
        known = functools.partial(state.func_id.func)
        state.targetctx.insert_user_function(known, state["cr"].fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = state["cr"]._replace(cfunc=known)
        return True


class _PartCompiler(CompilerBase):
    """numba's compiler, with that lowering."""

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state, "part")  # type: ignore[no-untyped-call]
        passes.passes = [
            (_PartLowering, text) if one is NativeLowering else (one, text)
            for one, text in passes.passes
        ]
        passes.finalize()
        return [passes]


class _Part(CPUDispatcher):
    """A part of kernels. Python, which calls it in tests alone, gets a kernel made of it."""

    def __call__(self, *arguments: Any) -> Any:
        return self.alone(*arguments)

    def get_call_template(self, given: Any, named: Any) -> Any:
        """A whole number that is written down is a whole number: numba would compile the part for
        each of them."""
        return super().get_call_template(
            [types.unliteral(kind) for kind in given],  # type: ignore[no-untyped-call]
            {name: types.unliteral(kind) for name, kind in named.items()},  # type: ignore[no-untyped-call]
        )

    def add_overload(self, result: Any) -> None:
        """Known to kernels; there is nothing for Python to call."""
        self.overloads[tuple(result.signature.args)] = result

    @functools.cached_property
    def alone(self) -> Any:
        """The part as a kernel."""
        return numba.njit(error_model="numpy", nogil=True)(self.py_func)


def _part(function: Callable[..., Any], **options: bool) -> Any:
    options = {
        "nopython": True,
        "nogil": True,
        # kernels alone call a part: wrappers for Python and C would be compiled in vain
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        **options,
    }
    return _Part(
        function,
        targetoptions={**options, "boundscheck": None, "error_model": "numpy"},
        pipeline_class=_PartCompiler,
    )


def inner(function: Callable[..., Any]) -> Any:
    """Compile a part of kernels, called by them alone: it makes no arrays, and does not count who
    holds those that it is given (an atomic operation at every use, for which threads would
    wait)."""
    return _part(function, _nrt=False)


def making(function: Callable[..., Any]) -> Any:
    """Compile a part of kernels that makes arrays."""
    return _part(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a part whose code takes the place of every call of it."""
    return _part(function, _nrt=False, forceinline=True)
