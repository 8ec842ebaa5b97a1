"""Input that tries to break things: each is refused in lines that name the place, the reason and
the mend, or it works."""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.house import ROOT
from twin import cli
from twin.ground import files
from twin.ground.errors import STATUSES, ScenarioError, TwinError, UsageError
from twin.ground.units import at, iso
from twin.mechanisms import REGISTRY
from twin.running import folder as runfolder
from twin.running import warmed
from twin.scenario.loading import load
from twin.world.mechanism import Mechanism
from twin.world.params import Params


def refused(folder: Path, text: str, *sets: str) -> str:
    """The lines with which a scenario is refused."""
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ScenarioError) as caught:
        load(path, sets)
    lines = str(caught.value).splitlines()
    assert all(line.isprintable() for line in lines)
    return "\n".join(line.replace(f"{folder}/", "") for line in lines)


def called(*arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of a command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main(list(arguments))
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    assert "a bug in twin" not in err.getvalue(), err.getvalue()
    return status, out.getvalue(), err.getvalue()


def test_half_characters_are_refused(tmp_path: Path) -> None:
    """No file can hold them: the run would fail when it writes its scenario."""
    half = "x.yaml:1 name: has half a character (a surrogate) (write the whole character)"
    assert refused(tmp_path, r'name: "\ud800"') == half
    assert r"x.yaml:1: the key \udfff is not a name" in refused(tmp_path, r'"\udfff": 1')
    # a byte of a flag that Python could not decode
    assert "LC_ALL=C.UTF-8" in refused(tmp_path, "name: x", "name=K\udcf6ln")


def test_output_that_the_terminal_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A middle dot in ASCII, a box in cp1252: spelt out, and nothing ends."""
    for encoding in ("ascii", "cp1252"):
        shown = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding=encoding))
        cli.main(["--version"])
        print("\u0416", end="", flush=True)
        assert shown.getvalue().endswith(b"\\u0416")


def test_names_become_names_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any length, and also where file names are ASCII."""
    assert runfolder.slug("K\u00f6ln 2/3") == "K\u00f6ln-2-3"
    assert len(runfolder.slug("\u00e4" * 300).encode()) < 200
    monkeypatch.setattr("os.fsencode", lambda text: text.encode("ascii"))
    assert runfolder.slug("K\u00f6ln") == "K-ln"


LONG = "a" * 300


def test_names_that_no_file_can_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a user may name a file: too long, a link to itself or to nowhere."""
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    monkeypatch.chdir(tmp_path)
    long = "too long for the name of a file (write a shorter one)"
    assert long in refused(tmp_path, f"extends: {LONG}\n").splitlines()[0]
    assert "leads to itself" in refused(tmp_path, "extends: loop.yaml\n")
    assert "is a link to nowhere" in refused(tmp_path, "extends: gone.yaml\n")
    assert long in refused(tmp_path, f"policies: [{{use: {LONG}}}]\n")
    assert long in refused(
        tmp_path, f"mechanisms: {{network: {{kind: edge_list, path: {LONG}}}}}\n"
    )
    own = f"mechanisms: {{mine: {{class: {LONG}.Mine}}}}\n"
    assert "there is no module" in refused(tmp_path, own)
    own = f"mechanisms: {{mine: {{class: a.Mine, from: {LONG}}}}}\n"
    assert "there is no folder" in refused(tmp_path, own)
    for arguments, words in (
        (["check", LONG], long),
        (["check", "x.yaml", "--policy", f"{LONG}@3d"], long),
        (["compare", "x.yaml", "--policy", LONG], long),
        (["intervene", ".", LONG], long),
        (["findings", "--data", LONG], "too long for the name of a folder"),
        (["report", LONG], "not a run folder: the name is too long"),
        (["pause", LONG], "no such run folder"),
        (["run", "x.yaml", "--out", LONG], "the name is too long (give another --out)"),
        (["dashboards", "--out", LONG], "the name is too long"),
    ):
        (tmp_path / "x.yaml").write_text("name: x\n", encoding="utf-8")
        status, _, said = called(*arguments)
        assert status in (1, 2) and words in said and len(said.splitlines()) == 1, said
    assert {path.name for path in tmp_path.iterdir()} == {"loop.yaml", "gone.yaml", "x.yaml"}


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    """A device, or a file of gigabytes: more than a scenario may have is not loaded."""
    with pytest.raises(ScenarioError, match="more than 200 kB long"):
        load("/dev/zero")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("duration", "9" * 400 + "d", "is longer than a thousand years"),
        ("duration", "1000.00000001s", "is not a whole number of seconds"),
        ("duration", "\u0663d", "is not a duration"),
        ("audience.arrivals", "9" * 400 + "/d", "is not a finite rate"),
        ("audience.arrivals", "9e308/s", "is not a finite rate"),
        ("seed", "9" * 400, "is too large a number"),
        ("recommender.learning_rate", "9e400", "is not a finite number"),
        ("policies", "[{when: 'posts > 9e999', set: {recommender.preset: likes}}]", "condition"),
        ("policies", "[{at: " + "9" * 400 + "w, set: {recommender.preset: likes}}]", "thousand"),
        ("start", "9999-12-31", "start on 9999-12-01 at the latest"),
        ("start", "10000-01-01", "is not a date"),
        ("start", "0001-01-01", "begins before the year 1"),
    ],
)
def test_numbers_beyond_all_bounds(tmp_path: Path, path: str, value: str, reason: str) -> None:
    """Numbers that overflow, in digits or in units, and dates that no calendar has."""
    said = refused(tmp_path, "warm_up: 10d\n", f"{path}={value}")
    assert reason in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("start", ["0001-01-11", "2262-04-12", "9999-12-01"])
def test_dates_at_both_ends(tmp_path: Path, start: str) -> None:
    """Years have four digits wherever they are written, and the last instant is a date."""
    (tmp_path / "x.yaml").write_text(f"start: {start}\nwarm_up: 10d\n", encoding="utf-8")
    scenario = load(tmp_path / "x.yaml")
    assert at(scenario.start, scenario.duration + 1)
    assert iso(at(scenario.start, 0)) == f"{start}T00:00:00.000Z"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--vary", f"audience.leave=0..{'9' * 400}"], "the range is too wide"),
        (["--vary", "audience.leave=-1e308..1e308"], "the range is too wide"),
        (["--vary", "audience.leave=1e-300..1e300:log"], "the range is too wide"),
        (["--vary", f"recommender.dim=4..{'9' * 400}"], "the range is too wide"),
        (["--vary", f"duration=1d..{'9' * 400}d"], "the range is too wide"),
    ],
)
def test_ranges_beyond_all_bounds(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Those of a sweep likewise."""
    (tmp_path / "x.yaml").write_text("name: x\n", encoding="utf-8")
    status, _, said = called("sweep", str(tmp_path / "x.yaml"), *arguments)
    assert status == 2 and words in said and len(said.splitlines()) == 1


def test_flags_and_variables_that_are_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "nan" is within no bounds and beyond none."""
    (tmp_path / "x.yaml").write_text("name: x\n", encoding="utf-8")
    for arguments in (
        ["run", str(tmp_path / "x.yaml"), "--pace", "nan"],
        ["run", str(tmp_path / "x.yaml"), "--pace", "inf"],
        ["compare", str(tmp_path / "x.yaml"), "--policy", "x", "--share", "nan"],
    ):
        status, _, said = called(*arguments)
        assert status == 2 and f"{arguments[-1]} is not a finite number" in said
    for text in ("lots", "nan", "-1", "inf"):
        monkeypatch.setenv("TWIN_CACHE_MB", text)
        with pytest.raises(UsageError, match=f"TWIN_CACHE_MB={text}: not a number of megabytes"):
            warmed.most_mb()


@pytest.mark.parametrize("given", ["[1]", "[]", "1", "a", "{b: 1}", "[{}]", "true"])
def test_a_mechanism_without_parameters(tmp_path: Path, given: str) -> None:
    """Anything but a mapping in its place is refused, though there is no parameter to name."""

    class Bare(Mechanism[Params]):
        """Has nothing to set."""

        name = "bare"
        Params = Params

    (tmp_path / "x.yaml").write_text(f"mechanisms: {{bare: {given}}}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "x.yaml", registry={**REGISTRY, "bare": Bare})
    said = str(caught.value)
    assert ("no such parameter" if given == "{b: 1}" else "it has no parameters") in said


def test_folders_that_cannot_become_a_run(tmp_path: Path) -> None:
    """Links to nowhere, files in the way, places that cannot be written: said before anything is
    computed."""
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for name, words in (
        (
            "link",
            "link: is a link to nowhere (make the folder that it names, or give another --out",
        ),
        ("file", "file: is a file (give --out a new or empty folder)"),
        ("file/run", f"{tmp_path / 'file'} is a file, no folder can lie in it"),
        ("file/a/b", f"{tmp_path / 'file'} is a file, no folder can lie in it"),
        ("full", "is not empty"),
        (LONG, "cannot become a run folder: the name is too long"),
    ):
        with pytest.raises(UsageError, match=re.escape(words)):
            runfolder.free(tmp_path / name)
    for name in ("new", "new/", "a/b/c", "./new/../other"):
        runfolder.free(tmp_path / name)
    with (
        pytest.raises(UsageError, match="/proc/run: cannot become a run folder"),
        runfolder.made(Path("/proc/run")),
    ):
        pass


@pytest.mark.parametrize("place", ["new", "a/new/", "empty", "link", "link/"])
def test_a_run_folder_is_whole_or_absent(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, or in a folder that is there: a link or a mounted volume, over which no folder can be
    renamed. A rename that fails (NFS, a layered file system) and a process that dies leave a folder
    that can be used."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    out = tmp_path / place

    def make() -> None:
        with runfolder.made(out) as work:
            (work / "checkpoints").mkdir()
            (work / "scenario.yaml").touch()
            (work / "manifest.json").touch()

    rename = Path.replace

    def failing(path: Path, target: Path) -> Path:
        # the last rename is the one that makes it a run
        if path.name in ("manifest.json", "new.part"):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UsageError, match="cannot become a run folder: Invalid cross-device link"):
        make()
    monkeypatch.setattr(Path, "replace", rename)
    # as if the process had died there, with what it had made
    if out.exists():
        (out / runfolder.BEGUN).mkdir()
    runfolder.free(out)
    make()
    assert {path.name for path in out.iterdir()} == {
        "checkpoints",
        "scenario.yaml",
        "manifest.json",
    }
    assert (tmp_path / "link").is_symlink()
    # nothing was computed in it yet
    runfolder.free(out)
    (out / "checkpoints" / "t600").mkdir()
    with pytest.raises(UsageError, match="is not empty"):
        runfolder.free(out)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        # as numpy, pyarrow and Python say it
        (OSError("11008 requested and 3040 written"), "the disk is full"),
        (OSError("Error writing bytes. Detail: [errno 28] No space left"), "the disk is full"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "your share of the disk is full"),
        (OSError(errno.EIO, "Input/output error"), "the disk reports an error"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk is read-only"),
        (OSError(errno.ESTALE, "Stale file handle"), "Stale file handle"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_a_disk_says(error: OSError, words: str) -> None:
    """The reason, whatever library met it."""
    assert files.reason(error)[0] == words


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"seed: 1\nseed: 2\n", "x.yaml:2 seed: is given twice, first on line 1"),
        (b"name: &x a\ndescription: *x\n", "x.yaml:1: YAML anchors and aliases are not used here"),
        (b"mechanisms:\n  <<: {audience: {}}\n", "x.yaml:2 mechanisms: the key << is not a name"),
        (BOMB.encode(), "x.yaml:1: YAML anchors and aliases are not used here"),
        (b"[" * 10_000, "x.yaml:1: is nested more than 50 deep"),
        (b"name: " + b"9" * 5000, "x.yaml:1: a plain value is 5000 characters long"),
        (b"x" * 300_000, "x.yaml: is more than 200 kB long"),
        ("name: K\u00f6ln\n".encode("latin-1"), "x.yaml: is not text in UTF-8"),
        ("name: K\u00f6ln\n".encode("utf-16"), "x.yaml: is not text in UTF-8"),
        (b"name: a\n---\nname: b\n", "x.yaml:2: a second document begins"),
        (b"name: a\x00b\n", "x.yaml:1: has a character that YAML does not allow"),
        (b"name: !!python/object/apply:os.system [ls]\n", "x.yaml:1: YAML tags are not used here"),
        (b"name: on\n", "x.yaml:1 name: on is ambiguous in YAML"),
        (b"mechanisms: {audience: {leave: 1e-3}}\n", "1e-3 would be read as text by YAML"),
        (b"duration: 12:30\n", "12:30 would be read as a number in base 60"),
        (b"seed: 010\n", "010 is ambiguous in YAML"),
        (b"seed: 0x1F\n", "0x1F is ambiguous in YAML"),
        (b"seed: 9007199254740993\n", "9007199254740993 is out of range"),
        (b"1: a\n", "x.yaml:1: the key 1 is not a name"),
        (b"", "x.yaml:1: is not a mapping (the file is empty"),
    ],
)
def test_yaml_that_would_be_misread(tmp_path: Path, data: bytes, words: str) -> None:
    """Refused with its line: what YAML 1.1 misreads, what expands, what is no text."""
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert words in str(caught.value).replace(f"{tmp_path}/", "").splitlines()[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfname: a\r\nseed: 9007199254740992\r\n",  # a mark and lines as Windows writes
        b"name: a\rseed: 9007199254740992\r",
        b'{"name": "a", "seed": 9007199254740992}',
        b"---\nname: a\nseed: 9007199254740992\n...\n",
    ],
)
def test_yaml_that_is_read_as_it_is_meant(tmp_path: Path, data: bytes) -> None:
    """Other ways to write the same, and the largest seed."""
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    scenario = load(path)
    assert (scenario.name, scenario.seed) == ("a", 2**53)


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("name: a\nsed: 3\n", [], "<stdin>:2 sed: no such top-level key (did you mean seed?)"),
        ("name: a\n  b: c\n", [], "<stdin>:2: is not YAML"),
        ("", [], "<stdin>:1: is not a mapping (the file is empty"),
        ("extends: '-'\n", [], "<stdin>:1 extends"),
        ("extends: nowhere.yaml\n", [], "<stdin>:1 extends: there is no file nowhere.yaml"),
        ("policies:\n- {use: nowhere.yaml}\n", [], "<stdin>:2 policies.0.use: there is no file"),
        ("x" * 300_000, [], "<stdin>: is more than 200 kB long"),
        ("name: \udce4\n", [], "<stdin>: is not text in UTF-8"),
        ("extends: package:twin/quickstart\n", ["--set", "sed=1"], "--set sed=1 sed: no such"),
    ],
)
def test_what_is_wrong_with_a_scenario_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, text: str, arguments: list[str], words: str
) -> None:
    """Its lines are named as those of a file."""
    piped(monkeypatch, text)
    status, shown, said = called("check", "-", *arguments)
    assert (status, shown) == (2, "") and words in said


def test_a_scenario_from_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is read once, however often a command loads it; a file of that name is a file; a stream
    that is closed, or a folder, is said to be."""
    stream = piped(
        monkeypatch,
        "extends: package:twin/quickstart\nseed: 7\nmechanisms: {recommender: {dim: 5}}\n",
    )
    status, shown, said = called("check", "-", "--explain", "recommender.dim")
    assert (status, said) == (0, "") and shown and not stream.read()
    assert load("-").seed == 7 and load("-", ["seed=8"]).seed == 8
    status, shown, _ = called("check", "-", "--diff")
    assert status == 0 and "recommender.dim" in shown and "<stdin>:3" in shown
    monkeypatch.chdir(tmp_path)
    Path("<stdin>").write_text("name: file\n", encoding="utf-8")
    assert load(tmp_path / "<stdin>").name == "file"
    stream.close()
    assert "<stdin>: cannot be read: it is closed" in called("check", "-")[2]
    with Path(os.devnull).open("w", encoding="utf-8") as unreadable:
        monkeypatch.setattr(sys, "stdin", unreadable)
        assert called("check", "-")[2].startswith("error: <stdin>: cannot be read: ")


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> io.TextIOWrapper:
    """Standard input that holds this text."""
    data = io.BytesIO(text.encode("utf-8", "surrogateescape"))
    stream = io.TextIOWrapper(data, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stream)
    return stream


def test_errors_for_programs(tmp_path: Path) -> None:
    """With ``--json``: each with its place, as one line."""
    path = tmp_path / "x.yaml"
    path.write_text("sed: 3\nduration: 9\n", encoding="utf-8")
    status, shown, said = called("check", str(path), "--json")
    first, second = map(json.loads, said.splitlines())
    assert (status, shown, first["status"], first["line"]) == (2, "", 2, 1)
    assert first == {
        "status": 2,
        "file": str(path),
        "line": 1,
        "path": "sed",
        "reason": "no such top-level key",
        "mend": "did you mean seed?",
    }
    assert second["path"] == "duration" and "90d" in second["mend"]
    for arguments in (["check", "--json", "--wrong"], ["run", "none", "--json"], ["rn", "--json"]):
        status, _, said = called(*arguments)
        assert status == json.loads(said)["status"] == 2 and json.loads(said)["reason"]


@pytest.mark.parametrize(
    "rest", [b"", b"\x08\x00\xd5W\tT\x13\xd77", b"\x08" + bytes(7) + b"\xff" * 9]
)
def test_a_log_that_is_no_gzip(tmp_path: Path, rest: bytes) -> None:
    """It only begins like one: zlib has an error of its own."""
    path = tmp_path / "day.parquet"
    path.write_bytes(b"\x1f\x8b" + rest)
    out = str(tmp_path / "out")
    status, _, said = called("observe", str(path), "--layout", "twin", "--out", out)
    assert status == 2 and "the gzip is damaged" in said and said.count("\n") == 1


def test_every_exit_status_is_in_the_table() -> None:
    """`docs/reference/commands.md` has it from there."""
    kinds = {TwinError}
    while more := {inner for kind in kinds for inner in kind.__subclasses__()} - kinds:
        kinds |= more
    assert {kind.status for kind in kinds} | {0, 130} == set(STATUSES)
    # and none is written beside it: a number with which the command line ends, or a class declares
    written = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "sys.exit",
                "fail",
                "exit",
            ):
                numbers = [each for arg in node.args for each in ast.walk(arg)]
                written |= {
                    each.value
                    for each in numbers
                    if isinstance(each, ast.Constant) and type(each.value) is int
                }
    assert written <= set(STATUSES) and {1, 2, 130} <= written


@pytest.mark.parametrize("odd", ["\u202e", "\x1b[2J", "\u2028", "a\nb", "\x85", "\udcf6"])
def test_what_a_user_wrote_breaks_no_line(
    tmp_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line breaks, controls of a terminal, half characters: spelt out in whatever error."""
    path = tmp_path / "x.yaml"
    path.write_text("name: x\n", encoding="utf-8")
    monkeypatch.setenv("GRAFANA_TOKEN", "x")
    for arguments in (
        ["sweep", str(path), "--vary", f"audience.leave=0..{odd}:log"],
        ["sweep", str(path), "--vary", odd],
        ["check", str(path), "--set", f"duration={odd}"],
        ["check", str(path), f"--{odd}"],
        ["check", f"no{odd}.yaml"],
        ["run", str(path), "--pace", odd],
        ["run", str(path), "--metrics", f"x{odd}y:1"],
        ["run", str(path), "--metrics", f"{'a' * 70}..{odd}:1"],
        ["run", str(path), "--remote-write", odd],
        ["run", str(path), "--remote-write", f"http://x{odd}y/z"],
        ["run", str(path), "--remote-write", f"http://{'a' * 70}/z"],
        ["grafana", "push", "--url", f"http://x{odd}y"],
        ["grafana", "push", "--url", f"http://{'a' * 70}"],
        ["check", str(path), "--policy", f"{odd}@3d"],
        ["report", odd],
        [odd],
    ):
        status, _, said = called(*arguments)
        (line,) = said.split("\n")[:-1]
        assert status == 2 and line.isprintable() and line.startswith("error: "), arguments
