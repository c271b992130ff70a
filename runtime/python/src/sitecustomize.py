"""Runs at the start of each interpreter below `holdfast exec --post-mortem`."""

import os
import sys

if os.environ.get("HOLDFAST_POST_MORTEM"):
    try:
        import holdfast_breakpoint

        holdfast_breakpoint._hook_exceptions()
    except Exception as error:
        sys.stderr.write("holdfast: no prompts for exceptions: %r\n" % (error,))


def _next():
    """Runs the module of this name that would have been found without this one."""
    import importlib.machinery
    import importlib.util

    own = os.path.dirname(os.path.abspath(__file__))
    rest = [folder for folder in sys.path if os.path.abspath(folder or ".") != own]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_next()
