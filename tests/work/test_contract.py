"""What every kind of work promises, wherever its workers are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from felicity.errors import ImageError, WorkError
from felicity.work import Need, Processes, Work
from tests.conftest import CHECKOUT
from tests.work.conftest import APART, KINDS

every_kind = pytest.mark.parametrize("work", KINDS, indirect=True)
every_kind_apart = pytest.mark.parametrize("work", APART, indirect=True)


def square(number: int) -> int:
    return number * number


def sleep_long_first(number: int) -> int:
    time.sleep(0.5 if number == 0 else 0.0)
    return number


def refuse_three(number: int) -> int:
    if number == 3:
        error = ImageError("3.jpg: no image")
        error.add_note("it was found in a folder")
        raise error
    return number


def divide_by_zero(number: int) -> float:
    return number / 0


def die_once(number: int, folder: Path) -> int:
    """End the process when 2 is seen first."""
    if number == 2 and not (mark := folder / "died").exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_at_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def begin_and_stay(number: int, folder: Path) -> int:
    (folder / f"begun-{number}").touch()
    if number:
        time.sleep(60)
        (folder / f"done-{number}").touch()
    return number


def own_process(number: int) -> int:
    return os.getpid()


@every_kind
def test_results_come_in_the_order_of_the_items(work: Work) -> None:
    assert list(work.results(square, range(30))) == [number * number for number in range(30)]


@every_kind
def test_an_early_item_that_takes_long_holds_back_the_others_only_if_they_are_to_be_in_order(work: Work) -> None:
    assert list(work.results(sleep_long_first, range(5))) == [0, 1, 2, 3, 4]
    as_they_come = list(work.outcomes(sleep_long_first, range(5), ordered=False))
    assert sorted(outcome.get() for outcome in as_they_come) == [0, 1, 2, 3, 4]
    assert all(outcome.number == outcome.value for outcome in as_they_come)


@every_kind
def test_no_items_give_no_results(work: Work) -> None:
    assert list(work.results(square, [])) == []


@every_kind
def test_items_are_drawn_as_workers_become_free(work: Work) -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for number in range(1000):
            drawn += 1
            yield number

    results = work.results(square, items())
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert drawn < 50
    results.close()  # type: ignore[attr-defined]


@every_kind
def test_an_error_is_the_outcome_of_its_item_alone(work: Work) -> None:
    outcomes = list(work.outcomes(refuse_three, range(6)))
    assert [outcome.value for outcome in outcomes] == [0, 1, 2, None, 4, 5]
    with pytest.raises(ImageError, match=r"3\.jpg: no image") as caught:
        outcomes[3].get()
    assert caught.value.__notes__ == ["it was found in a folder"]


@every_kind
def test_the_first_error_ends_results_and_is_told_with_its_place(work: Work) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(work.results(divide_by_zero, range(3)))
    told = "".join([*map(str, caught.traceback), *getattr(caught.value, "__notes__", ())])
    assert "divide_by_zero" in told


@every_kind
def test_progress_counts_what_is_done(work: Work) -> None:
    seen: list[int] = []
    list(work.outcomes(square, range(7), ordered=False, progress=lambda done, under_way: seen.append(done)))
    assert seen == [1, 2, 3, 4, 5, 6, 7]


@every_kind_apart
def test_an_item_whose_worker_is_lost_is_begun_again(work: Work, tmp_path: Path) -> None:
    assert list(work.results(partial(die_once, folder=tmp_path), range(8))) == list(range(8))
    assert (tmp_path / "died").exists()


@every_kind_apart
def test_an_item_that_ends_its_workers_is_given_up_and_the_others_are_not(work: Work) -> None:
    outcomes = list(work.outcomes(die_at_two, range(6), retries=1))
    assert [outcome.value for outcome in outcomes] == [0, 1, None, 3, 4, 5]
    with pytest.raises(WorkError, match="lost 2 times with the same item"):
        outcomes[2].get()


@every_kind_apart
def test_who_stops_listening_cancels_what_is_under_way(work: Work, tmp_path: Path) -> None:
    outcomes = work.outcomes(partial(begin_and_stay, folder=tmp_path), range(4), ordered=False)
    assert next(outcomes).get() == 0
    began = time.monotonic()
    while not (tmp_path / "begun-1").exists() and time.monotonic() - began < 30:
        time.sleep(0.1)
    began = time.monotonic()
    outcomes.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 30
    assert list(work.results(square, range(3))) == [0, 1, 4]  # the workers are free again
    assert not list(tmp_path.glob("done-*"))


@every_kind_apart
def test_a_fresh_process_works_at_one_item_only(work: Work) -> None:
    fresh = list(work.results(own_process, range(4), need=Need(fresh=True)))
    assert len(set(fresh)) == 4
    assert os.getpid() not in fresh
    assert len(set(work.results(own_process, range(12)))) <= 2


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    program = (
        "from functools import partial; from pathlib import Path\n"
        "from felicity.work import Processes\n"
        "from tests.work.test_contract import begin_and_stay\n"
        "if __name__ == '__main__':\n"
        f"    list(Processes(1).results(partial(begin_and_stay, folder=Path({str(tmp_path)!r})), [1]))\n"
    )
    path = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
    (tmp_path / "program.py").write_text(program)
    words = [sys.executable, str(tmp_path / "program.py")]
    with subprocess.Popen(words, env=os.environ | {"PYTHONPATH": path}) as process:
        while not (tmp_path / "begun-1").exists():
            assert process.poll() is None
            time.sleep(0.1)
        workers = _children(process.pid)
        process.kill()
    assert workers
    began = time.monotonic()
    while any(map(_lives, workers)):
        assert time.monotonic() - began < 20
        time.sleep(0.1)


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    if not children.exists():
        pytest.skip("only Linux tells the children of a process")
    found = [int(child) for child in children.read_text().split()]
    return found + [grandchild for child in found for grandchild in _children(child)]


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_processes_stay_for_the_next_call_in_a_block_and_end_with_it() -> None:
    with Processes(2) as work:
        first = {*work.results(own_process, range(12))}
        second = {*work.results(own_process, range(12))}
        alone = {*work.results(own_process, range(4), need=Need(cores=2))}
        assert first & second and len(first | second) <= 2
        assert len(alone) == 1
    assert not any(map(_lives, first | second | alone))


def test_processes_have_the_environment_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    list(Processes(1).results(os.getenv, ["PATH"]))  # whatever serves processes is there from now on
    monkeypatch.setenv("FELICITY_LATER", "set")
    monkeypatch.delenv("PATH")
    assert list(Processes(1).results(os.getenv, ["FELICITY_LATER", "PATH"])) == ["set", None]


def test_processes_call_methods_of_built_in_types() -> None:
    assert list(Processes(1).results(str.upper, ["harbour"])) == ["HARBOUR"]


def test_processes_begin_also_where_no_socket_can_be_made(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    code = (
        "from felicity.work import Processes\nfrom tests.work.test_contract import square\n"
        "if __name__ == '__main__':\n    print(list(Processes(2).results(square, [1, 2, 3])))\n"
    )
    (tmp_path / "main.py").write_text(code)
    done = subprocess.run(
        [sys.executable, tmp_path / "main.py"], capture_output=True, text=True, timeout=60,
        env=os.environ | {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join((str(CHECKOUT), *sys.path))},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[1, 4, 9]\n", "")


def test_items_of_several_cores_leave_room_for_fewer_workers() -> None:
    assert len(set(Processes(2).results(own_process, range(6), need=Need(cores=2)))) == 1
