"""What a program in a session sees and what comes back: docs/api.md, "Execution semantics"."""
from __future__ import annotations

import struct
from typing import Any

import pytest

from support.client import GENERATION_1, GENERATION_2, Client, Figure

PNG = b"\x89PNG\r\n\x1a\n"


def png_size(data: bytes) -> tuple[int, int]:
    assert data.startswith(PNG) and data[12:16] == b"IHDR"
    return struct.unpack(">II", data[16:24])


# ---- state ----

def test_names_imports_and_definitions_persist(session: Client) -> None:
    session.run("import math\ndef double(x):\n    return 2 * x\ntotal = 20")
    assert session.execute("double(total) + math.floor(2.9)").value == 42


def test_sessions_share_nothing(session: Client) -> None:
    session.run("secret = 1; open('/tmp/secret', 'w').close()")
    with session.another() as other:
        assert "NameError" in other.execute("secret").stderr
        assert other.execute("import os; os.path.exists('/tmp/secret')").value == "False"
        other.delete_session()


def test_random_numbers_differ_between_sessions(session: Client) -> None:
    code = ("import random, tempfile, uuid\nimport numpy as np\n"
            "print(random.random(), np.random.rand(), tempfile.mktemp(), uuid.uuid4())")
    with session.another() as other:
        first, second = session.run(code).split(), other.run(code).split()
        other.delete_session()
    assert not set(first) & set(second)


def test_the_working_directory_is_the_data_directory(session: Client) -> None:
    assert session.run("import os; print(os.getcwd())") == "/mnt/data\n"


def test_home_and_temporary_directories_can_be_written(session: Client) -> None:
    session.run("import pathlib, tempfile\n(pathlib.Path.home() / 'x').write_text('x')\n"
                "tempfile.NamedTemporaryFile().write(b'x')")


# ---- values: Rule R ----

@pytest.mark.parametrize("code, value", [
    ("1 + 1", 2), ("2.5", 2.5), ("-0.0", -0.0), ("[1, 2, 3]", [1, 2, 3]), ("[]", []),
    ("'abc'", "'abc'"), ("{'a': 1}", "{'a': 1}"), ("{}", {}), ("True", "True"), ("(1, 2)", "(1, 2)"),
    ("float('nan')", "nan"), ("float('inf')", "inf"), ("b'x'", "b'x'"), ("1j", "1j"), ("0.1", 0.1),
    ("10**400", 10**400), ("x = 1", ""), ("print(end='')", ""), ("None", None), ("1 + 1;", ""), 
    ("'a\\nb'", "'a\\nb'"), ("1e300 * 10", 1e301), ("...", "Ellipsis"), ("'\"'", "'\"'"),
    ("# only a comment", ""), ("if True:\n    5", ""), ("5\nx = 6", ""), ("_x = 3; _x", 3),
    ("import numpy as np; np.float64(2.5)", 2.5), ("np.arange(3)", "array([0, 1, 2])"),
    ("import pandas as pd; pd.DataFrame({'a': [1]})", "   a\n0  1"), ("pd.Series([1, 2])[0]", 1),
])
def test_the_value_of_the_last_expression(shared_values: Client, code: str, value: Any) -> None:
    execution = shared_values.execute(code)
    assert execution.succeeded, execution.stderr
    assert execution.value == value and type(execution.value) is type(value)


@pytest.fixture(scope="module")
def shared_values(shared_daemon: Any) -> Any:
    with shared_daemon.client() as client:
        client.run("import numpy as np, pandas as pd")
        yield client
        client.delete_session()


def test_integers_beyond_64_bits_and_decimals_pass_unchanged(session: Client) -> None:
    answer = session.execute("2**70").answer
    assert b'"executionResult":1180591620717411303424' in answer.body.replace(b": ", b":")
    assert b'"executionResult":0.1' in session.execute("0.1").answer.body.replace(b": ", b":")


def test_a_long_sequence_is_broken_after_each_item(session: Client) -> None:
    value = session.execute("['package-%d' % i for i in range(30)]").value
    assert value.startswith("['package-0',\n 'package-1',\n") and value.endswith("'package-29']")


def test_a_sequence_is_cut_after_a_thousand_items(session: Client) -> None:
    value = session.execute("['%d' % i for i in range(2000)]").value
    assert value.count(",\n") == 1000 and value.endswith("...]")


def test_the_package_list_that_clients_ask_for_first(session: Client) -> None:
    execution = session.execute("import pkg_resources\n"
                                "[d.project_name for d in pkg_resources.working_set]", GENERATION_1)
    names = [item.strip(" '") for item in execution.value.strip("[]").split(",\n")]
    assert {"numpy", "pandas", "matplotlib"} <= {name.lower() for name in names}


def test_a_value_whose_repr_fails(session: Client) -> None:
    execution = session.execute("class Odd:\n    def __repr__(self):\n        raise ValueError('no')\nOdd()")
    assert "ValueError: no" in execution.stderr
    assert session.execute("1 + 1").value == 2


# ---- streams ----

def test_streams_are_kept_apart_and_in_order(session: Client) -> None:
    execution = session.execute("import sys\nfor i in range(3):\n    print(i)\n"
                                "    print('e', i, file=sys.stderr)")
    assert (execution.stdout, execution.stderr) == ("0\n1\n2\n", "e 0\ne 1\ne 2\n")
    assert execution.succeeded


def test_what_children_and_the_c_library_print_is_captured(session: Client) -> None:
    execution = session.execute("import ctypes, os, subprocess, sys\nsubprocess.run(['echo', 'child'])\n"
                                "os.write(1, b'raw\\n')\nos.system('echo shell >&2')\n"
                                "libc = ctypes.CDLL(None); libc.puts(b'libc'); libc.fflush(None);")
    assert execution.stdout.split() == ["child", "raw", "libc"] and execution.stderr == "shell\n"


def test_bytes_that_are_not_utf_8_are_replaced(session: Client) -> None:
    assert session.execute("import os; os.write(1, b'a\\xffb\\n');").stdout == "a\ufffdb\n"


def test_a_nul_and_control_characters_in_the_output(session: Client) -> None:
    assert session.execute("print('a\\x00b\\x1b[31mc')").stdout == "a\x00b\x1b[31mc\n"


def test_warnings_are_not_failures(session: Client) -> None:
    execution = session.execute("import warnings; warnings.warn('careful')")
    assert execution.succeeded and "careful" in execution.stderr


def test_output_of_a_thread_is_captured(session: Client) -> None:
    code = ("import threading\nt = threading.Thread(target=print, args=('from a thread',))\n"
            "t.start(); t.join()")
    assert session.run(code) == "from a thread\n"


def test_a_flood_keeps_its_head_and_tail(session: Client) -> None:
    execution = session.execute("import os\nprint('first')\nfor _ in range(2000):\n"
                                "    os.write(1, b'x' * 65536)\nprint('\\nlast')")
    assert execution.succeeded
    assert execution.stdout.startswith("first\n") and execution.stdout.endswith("\nlast\n")
    assert len(execution.stdout) < 11 * 1024 * 1024
    assert session.execute("1 + 1").value == 2


@pytest.mark.parametrize("extra", [0, 1])
def test_the_output_limit_at_its_edge(session: Client, extra: int) -> None:
    limit = 10 * 1024 * 1024
    stdout = session.execute(f"import sys; sys.stdout.write('x' * {limit + extra});").stdout
    if extra == 0:
        assert stdout == "x" * limit
    else:
        assert len(stdout) <= limit + 200 and stdout.strip("x") != ""


def test_a_value_that_is_too_big_is_cut_and_said_so(session: Client) -> None:
    execution = session.execute("'x' * (11 * 1024 * 1024)")
    assert execution.succeeded and isinstance(execution.value, str)
    assert len(execution.value) <= 10 * 1024 * 1024 and execution.value.startswith("'xxx")
    assert len(execution.stderr.strip().splitlines()) == 1


# ---- exceptions ----

def test_an_exception_is_a_plain_traceback(session: Client) -> None:
    execution = session.execute("print('before')\ndef f():\n    return 1 / 0\nf()")
    assert execution.status == "Failed" and execution.stdout == "before\n" and execution.value == ""
    assert execution.stderr.strip().endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in execution.stderr and "return 1 / 0" in execution.stderr


def test_a_syntax_error_shows_its_caret(session: Client) -> None:
    execution = session.execute("x = (1 +")
    lines = execution.stderr.rstrip().splitlines()
    assert lines[-1].startswith("SyntaxError: ") and any(set(line) <= set(" ^") and "^" in line for line in lines)


def test_indentation_errors_and_tabs(session: Client) -> None:
    assert "IndentationError" in session.execute("def f():\nreturn 1").stderr


def test_a_chained_exception(session: Client) -> None:
    stderr = session.execute("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e").stderr
    assert "ZeroDivisionError" in stderr and stderr.strip().endswith("KeyError: 'k'")


@pytest.mark.parametrize("code", ["exit()", "quit()", "import sys; sys.exit(3)", "raise SystemExit"])
def test_leaving_does_not_end_the_session(session: Client, code: str) -> None:
    session.run("kept = 1")
    session.execute(code)
    assert session.execute("1 + 1").value == 2


def test_a_keyboard_interrupt_of_the_program_itself(session: Client) -> None:
    assert "KeyboardInterrupt" in session.execute("raise KeyboardInterrupt").stderr
    assert session.execute("1 + 1").value == 2


def test_deep_recursion_is_an_ordinary_exception(session: Client) -> None:
    execution = session.execute("def f():\n    f()\nf()")
    assert execution.stderr.strip().splitlines()[-1].startswith("RecursionError")


# ---- notebook conveniences ----

def test_shell_commands(session: Client) -> None:
    assert session.execute("!echo hello; echo oops >&2").stdout == "hello\n"
    assert session.execute("names = !printf 'a\\nb\\n'\nlist(names)").value == "['a', 'b']"


def test_magics(session: Client) -> None:
    session.run("%matplotlib inline")
    assert session.execute("%%time\nx = 3").succeeded
    assert session.execute("x").value == 3
    assert "UsageError" in session.execute("%no_such_magic").stderr


@pytest.mark.parametrize("code", [">>> 5 + 5", "In [1]: 5 + 5", "    5 + 5", "%time\n5 + 5"])
def test_what_was_copied_from_a_notebook_runs(session: Client, code: str) -> None:
    assert session.execute(code).value == 10


def test_a_line_that_is_a_magic_without_its_sign(session: Client) -> None:
    assert session.execute("pwd").value == "'/mnt/data'"
    assert session.execute("ls -d /usr").stdout.strip() == "/usr/"
    session.run("ls = 10; d = 3")
    assert session.execute("ls -d").value == 7


def test_history_begins_with_the_first_cell(session: Client) -> None:
    assert session.execute("len(In), len(Out)").value == "(2, 0)"


def test_a_debugger_says_why_it_fails(session: Client) -> None:
    execution = session.execute("import pdb\npdb.set_trace()\nx = 1")
    assert not execution.succeeded
    assert execution.stderr.strip().splitlines()[-1].startswith("bdb.BdbQuit: ")


def test_top_level_await(session: Client) -> None:
    assert session.execute("import asyncio\nawait asyncio.sleep(0.01)\n'slept'").value == "'slept'"


def test_installing_packages_fails_clearly(session: Client) -> None:
    for command in ("!pip install no-such-package-here", "%pip install no-such-package-here",
                    "!python3 -m pip install --quiet no-such-package-here"):
        execution = session.execute(command)
        assert "sessions have the packages of their image" in execution.stdout + execution.stderr, command
        assert not execution.succeeded, command


def test_input_is_refused_not_waited_for(session: Client) -> None:
    assert not session.execute("input('name? ')", timeout_s=10).succeeded
    assert session.execute("1 + 1").value == 2


# ---- figures ----

@pytest.mark.parametrize("version, member", [(GENERATION_1, "result"), (GENERATION_2, None), (None, None)])
def test_a_figure_is_the_image_object(session: Client, version: str | None, member: str | None) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    execution = session.execute(code, version) if version else session.execute(code)
    figure = Figure.of(execution.answer.json["properties"][member] if member else execution.value)
    assert figure.format == "png" and min(png_size(figure.data)) > 100


def test_an_open_figure_is_shown_though_the_cell_ends_in_print(session: Client) -> None:
    execution = session.execute("import matplotlib.pyplot as plt\nplt.plot([1]); plt.savefig('a.png')\nprint('saved')")
    assert execution.stdout == "saved\n" and Figure.of(execution.value).data.startswith(PNG)
    assert session.file_names() == ["a.png"]


def test_of_several_figures_the_last_one_is_shown(session: Client) -> None:
    value = session.execute("import matplotlib.pyplot as plt\nplt.figure(figsize=(2, 2)); plt.plot([1])\n"
                            "plt.figure(figsize=(6, 2)); plt.plot([2]);").value
    width, height = png_size(Figure.of(value).data)
    assert width > 2 * height


def test_a_closed_figure_is_not_shown_and_none_lingers(session: Client) -> None:
    session.execute("import matplotlib.pyplot as plt\nplt.plot([1]);")
    assert session.execute("1 + 1").value == 2
    assert session.execute("plt.plot([1]); plt.close('all')").value in ("", None)


def test_show_displays_the_figure(session: Client) -> None:
    execution = session.execute("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()")
    assert Figure.of(execution.value).data.startswith(PNG)


# ---- what real programs do ----

@pytest.mark.parametrize("code, printed", [
    ("import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool:\n    print(pool.map(abs, [-1, -2]))", "[1, 2]"),
    ("from concurrent.futures import ThreadPoolExecutor as T\nprint(list(T(8).map(abs, [-3])))", "[3]"),
    ("import sqlite3\nc = sqlite3.connect('a.db'); c.execute('create table t (x)')\nc.execute('insert into t values (5)'); c.commit()\nprint(c.execute('select x from t').fetchall())", "[(5,)]"),
    ("import subprocess\nprint(subprocess.check_output('echo a | tr a b', shell=True, text=True).strip())", "b"),
    ("import asyncio\nasync def f():\n    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n    return len(server.sockets)\nprint(await f())", "1"),
    ("import zipfile\nwith zipfile.ZipFile('a.zip', 'w') as z:\n    z.writestr('n', 'x')\nprint(zipfile.ZipFile('a.zip').namelist())", "['n']"),
    ("import numpy as np\nprint(np.linalg.det(np.eye(200)))", "1.0"),
    ("import pandas as pd\npd.DataFrame({'a': [1, 2]}).to_csv('a.csv', index=False)\nprint(pd.read_csv('a.csv').a.sum())", "3"),
    ("import datetime, zoneinfo, locale, getpass, pwd, os\nprint(pwd.getpwuid(os.getuid()).pw_dir)", "/home/session"),
    ("from multiprocessing import shared_memory\ns = shared_memory.SharedMemory(create=True, size=64)\nprint(s.size >= 64); s.close(); s.unlink()", "True"),
])
def test_ordinary_programs(session: Client, code: str, printed: str) -> None:
    assert session.run(code).strip() == printed


def test_the_environment_of_the_daemon_stays_outside(session: Client) -> None:
    names = set(session.run("import os; print(*os.environ)").split())
    assert "HOME" in names and not {"PYTEST_CURRENT_TEST", "SANDPOOL_BUILD", "SUDO_USER"} & names
