"""The notebook inside a session: IPython's shell, with its edges turned towards the API.

Executed once in the zygote, in a namespace of its own that guest code does not see. The C side calls `prewarm`
before the first fork, `after_join` in each new session and `run` for each cell. Why IPython and what is
overridden: docs/decisions/0002-notebook-semantics.md.
"""
import ast
import base64
import bdb
import errno
import gc
import importlib
import importlib.metadata
import io
import os
import platform
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, Optional

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

# enum done_display of sandboxd/payload/payload.h
DISPLAY_NOTHING, DISPLAY_NONE, DISPLAY_TEXT, DISPLAY_IMAGE = range(4)

# Longest result; docs/api.md, "Limits". The front holds the same line.
RESULT_BYTES_MAX = 10 * 1024 * 1024

DATA_DIRECTORY = "/mnt/data"

PIP_INSTALL = re.compile(r"^\s*(?:\S*/)?(?:python[\d.]*\s+-m\s+)?pip[\d.]*\s+install\b(.*)$", re.S)


class CellCompiler(CachingCompiler):
    """Names cells so that tracebacks read `File "<cell 3>", line 1`."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return f"<cell {number}>"


class CellDisplayHook(DisplayHook):
    """Keeps the value of the last expression instead of printing it."""

    def __call__(self, result: Any = None) -> None:
        if result is None and not self.quiet():
            self.shell.cell.saw_none = True
        super().__call__(result)

    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: Optional[dict] = None) -> None:
        self.shell.cell.text = format_dict.get("text/plain")
        self.shell.cell.keep_image(format_dict.get("image/png"))

    def finish_displayhook(self) -> None:
        pass


class CellDisplayPublisher(DisplayPublisher):
    """`display(x)`: figures are kept, everything else is printed as text."""

    def publish(self, data: dict, *args: Any, **kwargs: Any) -> None:
        if "image/png" in data:
            self.shell.cell.keep_image(data["image/png"])
        elif "text/plain" in data:
            print(data["text/plain"])

    def clear_output(self, wait: bool = False) -> None:
        pass


class Cell:
    """What one execution has shown so far."""

    def __init__(self) -> None:
        self.text: Optional[str] = None
        self.image: Optional[bytes] = None
        self.saw_none = False
        self.ends_in_value = False
        self.was_cut_off = False  # a `!command` reached no host

    def keep_image(self, data: Any) -> None:
        """The last figure wins; formatters give base64 text or bytes."""
        if data is not None:
            self.image = base64.b64decode(data) if isinstance(data, str) else bytes(data)

    def display(self) -> tuple[int, bytes]:
        if self.image is not None:
            if len(self.image) <= RESULT_BYTES_MAX:
                return DISPLAY_IMAGE, self.image
            print("The figure is larger than 10 MiB and was left out.", file=sys.stderr)
            return DISPLAY_NOTHING, b""
        if self.text is not None:
            return DISPLAY_TEXT, self._bounded_text()
        if self.saw_none and self.ends_in_value:
            return DISPLAY_NONE, b""
        return DISPLAY_NOTHING, b""

    def _bounded_text(self) -> bytes:
        data = self.text.encode("utf-8", "backslashreplace")
        if len(data) <= RESULT_BYTES_MAX:
            return data
        print("The result is longer than 10 MiB and was cut.", file=sys.stderr)
        return data[: RESULT_BYTES_MAX - 8].decode("utf-8", "ignore").encode() + b"..."


class SessionShell(InteractiveShell):
    compiler_class = Type(CellCompiler)
    displayhook_class = Type(CellDisplayHook)
    display_pub_class = Type(CellDisplayPublisher)
    cell = Cell()

    def enable_gui(self, gui: Optional[str] = None) -> None:
        """`%matplotlib inline` asks for it; there is no event loop to hook into."""

    def ask_exit(self) -> None:
        """`exit` and `quit` restart the kernel in the hosted service: variables go, files stay."""
        self.reset(new_session=True)

    def transform_cell(self, raw_cell: str) -> str:
        """What is plain Python already is not searched for magics, which is half the cost of a short cell.
        One line may still be one (`ls -l` is a subtraction), and `In [1]: x` is a prompt."""
        if raw_cell.startswith("In") or self.input_transformers_post:
            return super().transform_cell(raw_cell)
        try:
            ast.parse(raw_cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return super().transform_cell(raw_cell)
        cell = raw_cell.rstrip("\n")
        if "\n" not in cell:
            with self.builtin_trap:
                cell = self.prefilter_manager.prefilter_lines(cell)
        return cell + "\n"

    async def run_ast_nodes(self, nodelist: list, *args: Any, **kwargs: Any) -> bool:
        last = nodelist[-1] if nodelist else None
        # print(...) shows nothing; a name that holds None shows None.
        self.cell.ends_in_value = isinstance(last, ast.Expr) and not isinstance(
            last.value, (ast.Call, ast.Await)
        )
        return await super().run_ast_nodes(nodelist, *args, **kwargs)

    def system(self, cmd: str) -> None:
        """`!cmd`: a shell on the cell's own streams; IPython's needs a terminal."""
        cmd = self.var_expand(cmd, depth=1)
        install = PIP_INSTALL.match(cmd)
        if install:
            pip_install(install.group(1))
            return
        flush_streams()
        with subprocess.Popen(cmd, shell=True) as child:
            try:
                code = child.wait()
            except BaseException:
                child.kill()
                raise
        self.user_ns["_exit_code"] = code
        self.cell.was_cut_off |= is_cut_off(cmd, code)

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        etype, value, trace = self._get_exc_info(exc_tuple)
        if issubclass(etype, UsageError):
            print(f"UsageError: {value}", file=sys.stderr)
            return
        print_exception(etype, value, trace)

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        print_exception(*sys.exc_info())


def print_exception(etype: type, value: BaseException, trace: Any) -> None:
    """Plain traceback on stderr that starts at the user's own first frame."""
    start = trace
    while start is not None and not start.tb_frame.f_code.co_filename.startswith("<cell "):
        start = start.tb_next
    if issubclass(etype, SyntaxError):
        start = None
    elif start is None:
        start = trace
    try:
        lines = traceback.format_exception(etype, value, start)
    except BaseException:  # the exception's own code failed
        lines = [f"{etype.__name__}\n"]
    sys.stderr.write("".join(lines))


def pip_install(arguments: str) -> None:
    """Packages that are there are fine; others cannot be fetched, and saying so must fail the cell:
    Debian's own refusal would pass for success."""
    missing = []
    for word in shlex.split(arguments.split("|")[0].split(";")[0].split("&")[0]):
        if word.startswith("-"):
            continue
        name = re.split(r"[<>=!~\[ ;]", word, maxsplit=1)[0]
        try:
            version = importlib.metadata.version(name)
            print(f"Requirement already satisfied: {name} ({version})")
        except (importlib.metadata.PackageNotFoundError, ValueError):
            missing.append(name)
    if missing:
        raise RuntimeError(
            f"pip cannot install {', '.join(missing)}: sessions have the packages of their image. "
            "Use the installed packages or upload the files you need."
        )


# ---- what was refused ----

REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS)
UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
UNRESOLVED = (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_NONAME, socket.EAI_NODATA)
UNREACHABLE_TEXTS = ("Temporary failure in name resolution", "Network is unreachable")  # of libraries in C
# How they end when they cannot resolve a name (curl) or reach a server (wget).
DOWNLOADS = {"curl": 6, "wget": 4}
DOWNLOAD = re.compile(r"(?:^|[\s;&|(/])(curl|wget)\s")
LOOPBACK = re.compile(r"localhost|\b127\.|::1")
CHAIN_MAX = 16
SUBJECT_BYTES_MAX = 255


def chain_of(error: Optional[BaseException]) -> list[BaseException]:
    """The exception, and what was behind it; urllib keeps that in `reason`."""
    chain: list[BaseException] = []
    waiting = [error]
    while waiting and len(chain) < CHAIN_MAX:
        error = waiting.pop(0)
        if isinstance(error, BaseException) and not any(error is known for known in chain):
            chain.append(error)
            waiting += [error.__cause__, error.__context__, getattr(error, "reason", None)]
    return chain


def is_cut_off(command: Any, code: int) -> bool:
    """Whether a program that was to fetch something has ended as it does without a network."""
    words = command if isinstance(command, (list, tuple)) else [command]
    text = " ".join(word for word in words if isinstance(word, str))
    found = DOWNLOAD.search(text)
    return found is not None and DOWNLOADS[found[1]] == code and not LOOPBACK.search(text)


def is_unreachable(error: BaseException) -> bool:
    return isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno in UNREACHABLE


def is_of_network(error: BaseException) -> bool:
    if isinstance(error, subprocess.CalledProcessError):
        return is_cut_off(error.cmd, error.returncode)
    if isinstance(error, socket.gaierror):
        return error.errno in UNRESOLVED
    return is_unreachable(error) or any(isinstance(part, str) and any(text in part for text in UNREACHABLE_TEXTS) for part in error.args)


def place_of(error: BaseException) -> tuple[str, int]:
    """The innermost place in a cell; where there is none, the innermost place of all."""
    file, line = "", 0
    trace, in_cell = error.__traceback__, False
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith("<cell ") or not in_cell:
            file, line, in_cell = name, trace.tb_lineno, name.startswith("<cell ")
        trace = trace.tb_next
    return file, line


def refusal_line(kind: str, subject: Any, number: int, file: str = "", line: int = 0) -> bytes:
    """In the form of FRAME_REFUSALS; sandboxd/link/refusals.h has it."""
    fields = (kind, os.fsdecode(subject), str(number), "1", file, str(line))
    return b"\t".join(re.sub(rb"[\x00-\x1f]", b"?", os.fsencode(field))[:SUBJECT_BYTES_MAX] for field in fields) + b"\n"


def explain(error: Optional[BaseException]) -> bytes:
    """What the exception that ended a cell says of refusals, one in each line."""
    lines = []
    try:
        for one in chain_of(error):
            if is_of_network(one):
                lines.append(refusal_line("ended", "network", one.errno if is_unreachable(one) else 0))
            elif isinstance(one, OSError) and one.errno in REFUSED:
                if isinstance(one.filename, (str, bytes)):
                    lines.append(refusal_line("file", one.filename, one.errno, *place_of(one)))
                elif last_operation():
                    lines.append(refusal_line("process", last_operation(), one.errno, *place_of(one)))
    except BaseException:  # the guest's own objects
        pass
    return b"".join(lines)


def flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # closed or replaced by the guest
            pass


def run(source: str) -> tuple[bool, int, bytes, bytes]:
    """Runs one cell. Returns whether it succeeded, what is shown and its bytes, and what was refused."""
    shell.cell = Cell()
    try:
        result = shell.run_cell(source, store_history=True)
        succeeded = bool(result.success)
        if isinstance(result.error_in_exec, bdb.BdbQuit):  # IPython says nothing
            print("bdb.BdbQuit: a debugger has no terminal here", file=sys.stderr)
        display, value = shell.cell.display() if succeeded else (DISPLAY_NOTHING, b"")
        refused = b"" if succeeded else explain(result.error_in_exec)
        if shell.cell.was_cut_off:
            refused += refusal_line("ended", "network", 0)
        return succeeded, display, value, refused
    finally:
        flush_streams()


def run_command(words: bytes) -> tuple[bool, int, bytes, bytes]:
    """Runs a program on the cell's own streams, in a process group that ends with an interrupt. The result is its
    exit code as a shell has it: 128 and more for a signal, 126 and 127 for a program that cannot be run."""
    arguments = words.split(b"\0")[:-1]
    child = None
    flush_streams()
    try:
        child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, cwd=DATA_DIRECTORY, start_new_session=True)
        code = child.wait()
    except OSError as error:
        code = 127 if isinstance(error, FileNotFoundError) else 126
        os.write(2, b"%s: %s\n" % (arguments[0], str(error.strerror).encode()))
    except BaseException:
        if child is not None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        raise
    code = 128 - code if code < 0 else code
    cut_off = is_cut_off([os.fsdecode(argument) for argument in arguments], code)
    return code == 0, DISPLAY_TEXT, str(code).encode(), refusal_line("ended", "network", 0) if cut_off else b""


def make_shell() -> SessionShell:
    config = Config()
    # Its writer is a thread, and a process with two threads cannot be forked.
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.autoindent = False
    made = SessionShell.instance(config=config)
    made.display_formatter.active_types = ["text/plain", "image/png"]
    return made


def describe_image() -> bytes:
    """What a session has, one thing in each line, its parts between tabs; sandboxd/api/image.h has the form."""
    packages: dict[str, tuple[str, str]] = {}
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
        if name and version:
            # An import finds the first one, too.
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), (name, version))
    ipython = importlib.metadata.metadata("ipython")
    lines = [("runtime", "python", platform.python_version()),
             ("kernel", "IPython", ipython["Version"], ipython["Home-page"] or "", ipython["Summary"] or "")]
    lines += [("package", *packages[name]) for name in sorted(packages)]
    return "".join("\t".join(line) + "\n" for line in lines).encode("ascii", "replace")


def prewarm(modules: list[str]) -> bytes:
    """Imports and first uses that every session would pay for. Returns the description of the image."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    if "matplotlib" in sys.modules:
        shell.enable_matplotlib("inline")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run("1 + 1")
        run("raise ValueError('prewarm')")
        if "matplotlib.pyplot" in sys.modules:
            run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('prewarm')")
        if "pandas" in sys.modules:
            run("import pandas\npandas.DataFrame({'a': [1], 'b': ['x']})")
        if modules:
            run("import pkg_resources\n[d.project_name for d in pkg_resources.working_set]")
    if "matplotlib.font_manager" in sys.modules:
        # Cached fonts are open files, and a session inherits none.
        sys.modules["matplotlib.font_manager"]._get_font.cache_clear()
    description = describe_image()
    shell.reset(new_session=True)
    # A reset takes these too, and multiprocessing looks at them to start a fresh interpreter.
    for name in ("__doc__", "__loader__", "__package__", "__spec__"):
        shell.user_ns.setdefault(name, None)
    shell.cell = Cell()
    gc.collect()
    gc.freeze()
    return description


def after_join(environment: Optional[list[bytes]]) -> None:
    """What a fork copies must not be the same in every session, and what its policy changes is changed."""
    if environment is not None:
        os.environb.clear()
        os.environb.update(text.split(b"=", 1) for text in environment)
    random.seed()
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed(numpy.frombuffer(os.urandom(64), dtype=numpy.uint32))
    tempfile._name_sequence = None
    touch()


def touch() -> None:
    """Runs one cell without a trace. The pages that every cell writes to are copied now, while nobody waits."""
    names = dict(shell.user_ns)
    run("1 + 1")
    for inputs in (shell.history_manager.input_hist_parsed, shell.history_manager.input_hist_raw):
        inputs[:] = [""]
    shell.history_manager.output_hist.clear()
    shell.execution_count = 1
    for name in ("_", "__", "___"):
        setattr(shell.displayhook, name, "")
    shell.user_ns.clear()
    shell.user_ns.update(names)


for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
sys.path.insert(0, "")
shell = make_shell()
