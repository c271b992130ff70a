"""breakpoint() in any process of a tree, one prompt at a time.

A process that stops at a breakpoint asks the host of its program for the terminal, over the socket
that HOLDFAST_SOCKET names, and waits for its turn. In its turn

- it is in a process group of its own, so that a Ctrl-C reaches nobody else,
- the descriptors 0, 1 and 2 and sys.stdin, sys.stdout and sys.stderr are the terminal,

and afterwards all of that is as it was. The turn ends when the person lets the program go on, when
the debugger returns, and when the process ends: the close of the socket is the release.
"""

import os
import signal
import sys
import threading

__all__ = ["post_mortem", "set_trace"]

_turn = None
_turns = threading.RLock()
_wrapped = False


class _Turn:
    """A turn at the terminal: what was changed for it, and the socket whose close ends it."""

    def __init__(self, connection, group, tty):
        self.connection = connection
        self.thread = threading.get_ident()
        self.group = None
        self.saved = {}
        self.streams = None
        self.interrupt = None
        try:
            self.terminal = self._open(group, tty)
            self._redirect()
            self._take_interrupts()
        except BaseException:
            self.end()
            raise

    def _open(self, group, tty):
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError:
            # A session of its own: the terminal by its name, which is not a controlling one.
            return os.open(tty, os.O_RDWR | os.O_NOCTTY)
        old = os.getpgrp()
        try:
            os.setpgid(0, group)
            self.group = old
        except OSError:
            pass  # It shares its group's Ctrl-C.
        return terminal

    def _redirect(self):
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)
        for number in (0, 1, 2):
            try:
                self.saved[number] = os.dup(number)
            except OSError:
                self.saved[number] = None
            os.dup2(self.terminal, number)
        self.streams = (sys.stdin, sys.stdout, sys.stderr)
        if not _are_standard(self.streams):
            sys.stdin = open(0, "r", closefd=False)
            sys.stdout = open(1, "w", buffering=1, closefd=False)
            sys.stderr = open(2, "w", buffering=1, closefd=False)

    def _take_interrupts(self):
        # A Ctrl-C at the prompt is the debugger's, whatever the program does with one.
        if threading.current_thread() is threading.main_thread():
            self.interrupt = signal.getsignal(signal.SIGINT)
            if self.interrupt is not None:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def end(self):
        """Gives everything back, whatever of it fails."""
        if self.interrupt is not None:
            signal.signal(signal.SIGINT, self.interrupt)
            self.interrupt = None
        if self.streams is not None:
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            sys.stdin, sys.stdout, sys.stderr = self.streams
        for number, copy in self.saved.items():
            try:
                if copy is None:
                    os.close(number)
                else:
                    os.dup2(copy, number)
                    os.close(copy)
            except OSError:
                pass
        terminal = getattr(self, "terminal", None)
        if terminal is not None:
            os.close(terminal)
        self.leave_group()
        self.connection.close()

    def leave_group(self):
        if self.group is None:
            return
        try:
            os.setpgid(0, self.group)
        except OSError:
            try:
                # All others of that group have ended.
                os.setpgid(0, 0)
            except OSError:
                pass
        self.group = None


def _flush(stream):
    try:
        stream.flush()
    except Exception:
        pass


def _are_standard(streams):
    for number, stream in enumerate(streams):
        try:
            if stream.fileno() != number:
                return False
        except Exception:
            return False
    return True


def _ask():
    """Waits for the turn of this process; None if it gets none, False if nobody is there."""
    address = os.environ.get("HOLDFAST_SOCKET")
    if not address:
        return None
    import socket

    if address.startswith("@"):
        address = "\0" + address[1:]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(address)
        thread = threading.current_thread()
        name = "" if thread is threading.main_thread() else ", " + thread.name
        text = "turn %d %s\n" % (os.getpid(), (_program() + name).replace("\n", " "))
        connection.sendall(text.encode("utf-8", "replace"))
        answer = b""
        while not answer.endswith(b"\n"):
            piece = connection.recv(4096)
            if not piece:
                break
            answer += piece
    except OSError:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    words = answer.decode("utf-8", "replace").split()
    if words[:1] == ["granted"] and len(words) == 3:
        return _Turn(connection, int(words[1]), words[2])
    connection.close()
    return False if words[:1] == ["nobody"] else None


def _program():
    name = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) and sys.argv[0] else "python"
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        own = process.current_process()
        if own.name != "MainProcess":
            name += ", " + own.name
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return name + ", " + worker if worker else name


def _begin():
    """Whether this thread may prompt; with the terminal, if the tree gives it."""
    global _turn
    _turns.acquire()
    if _turn is not None:
        return True  # This thread has it already: it steps.
    try:
        turn = _ask()
    except BaseException:
        _turns.release()
        raise
    if turn is None or turn is False:
        _turns.release()
        return turn is None
    _turn = turn
    return True


def _end():
    """Gives the turn back, if this thread has it."""
    global _turn
    turn = _turn
    if turn is None or turn.thread != threading.get_ident():
        return
    _turn = None
    turn.end()
    # Once for each time that it was taken.
    while True:
        try:
            _turns.release()
        except RuntimeError:
            return


def _in_child():
    """A copy of a process in its turn: the turn is not the copy's."""
    global _turn, _turns
    turn, _turn, _turns = _turn, None, threading.RLock()
    if turn is not None:
        turn.leave_group()
        turn.connection.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def _goes_on(debugger):
    """Whether a debugger will not stop again at the next line: the person has let it go."""
    return debugger.quitting or (
        debugger.stoplineno == -1 and debugger.stopframe is getattr(debugger, "botframe", None)
    )


def _wrap():
    """Has every debugger that is built on pdb wait for its turn at each stop."""
    global _wrapped
    if _wrapped:
        return
    _wrapped = True
    import pdb

    original = pdb.Pdb.interaction

    def interaction(self, *args, **kwargs):
        if not _begin():
            self.set_continue()
            return None
        try:
            return original(self, *args, **kwargs)
        finally:
            if _goes_on(self) or getattr(self, "_holdfast_once", False):
                _end()

    pdb.Pdb.interaction = interaction


def _configured():
    """The debugger that the user has configured, as a function."""
    name = os.environ.get("HOLDFAST_BREAKPOINT", "")
    if not name or name == "holdfast_breakpoint.set_trace":
        return None
    module, _, function = name.rpartition(".")
    try:
        import importlib

        return getattr(importlib.import_module(module or "builtins"), function)
    except (ImportError, AttributeError) as error:
        import warnings

        warnings.warn("HOLDFAST_BREAKPOINT=%s cannot be used (%s): pdb it is" % (name, error))
        return None


def _takes_frame(function):
    try:
        import inspect

        return "frame" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def set_trace(*args, **kwargs):
    """What breakpoint() calls."""
    _wrap()
    if not _begin():
        return None
    try:
        configured = _configured()
        if configured is not None:
            if _takes_frame(configured):
                kwargs.setdefault("frame", sys._getframe(1))
            result = configured(*args, **kwargs)
            if sys.gettrace() is None:
                _end()  # It was a prompt in a call, and that is over.
            return result
        import pdb

        debugger = pdb.Pdb(nosigint=True)
        # The last call here: whatever is called after it is traced.
        debugger.set_trace(sys._getframe(1))
        return None
    except BaseException:
        _end()
        raise


def post_mortem(traceback):
    """A prompt where an exception was raised."""
    if traceback is None:
        return
    _wrap()
    if not _begin():
        return
    try:
        import pdb

        debugger = pdb.Pdb()
        debugger._holdfast_once = True
        debugger.reset()
        debugger.interaction(None, traceback)
    finally:
        _end()


def _hook_exceptions():
    """Opens a prompt for what nobody catches, in this process and its threads."""
    before = sys.excepthook

    def excepthook(kind, value, traceback):
        before(kind, value, traceback)
        if issubclass(kind, Exception):
            post_mortem(traceback)

    sys.excepthook = excepthook
    if hasattr(threading, "excepthook"):
        in_thread = threading.excepthook

        def thread_excepthook(args):
            in_thread(args)
            if issubclass(args.exc_type, Exception):
                post_mortem(args.exc_traceback)

        threading.excepthook = thread_excepthook

    import multiprocessing.process

    run = multiprocessing.process.BaseProcess.run

    def run_and_look(self):
        try:
            return run(self)
        except Exception:
            import traceback

            traceback.print_exc()
            post_mortem(sys.exc_info()[2])
            raise

    multiprocessing.process.BaseProcess.run = run_and_look
