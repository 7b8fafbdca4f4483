"""Scripts of cases, run from another one."""

import os
import signal
import subprocess
import sys
import tempfile

GRACE_S = 30  # for a script that is interrupted: it takes down what its cases started


def run_script(path, timeout_s, arguments=(), more_env=None, grace_s=GRACE_S):
    """What a script printed to both outputs, and whether it ended by itself in time. One that does not is interrupted, so that it leaves
    its cases in good order, and after `grace_s` every process that is left of its session is ended, as it is behind any other. What a
    case starts in a session of its own, as the nodes of a cluster, that case alone ends."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        script = subprocess.Popen([sys.executable, path, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                  start_new_session=True, env={**os.environ, **(more_env or {})})
        try:
            in_time = waited_for(script, timeout_s)
        finally:  # our own interruption does not reach another session
            if script.returncode is None:
                script.send_signal(signal.SIGINT)
                waited_for(script, grace_s)
            end_session(script.pid)
            script.wait()
        return text_of(out), text_of(err), in_time


def waited_for(script, timeout_s):
    try:
        script.wait(timeout_s)
        return True
    except subprocess.TimeoutExpired:
        return False


def end_session(leader):
    """What is left of the process group that a leader, ended or not, had in its own session."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def text_of(file):
    """It may end in the midst of a letter."""
    file.seek(0)
    return file.read().decode(errors="replace")
