"""Scripts that were exported, run in a process where `import ttfs_pynn` fails."""

import json
import os
import subprocess
import sys

_WITHOUT = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ttfs_pynn":
            raise ImportError("ttfs_pynn is not to be used here")
sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_without_us(script, *arguments, folder):
    """(exit status, output, what it wrote or None) of a script, run in `folder`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([sys.executable, "-I", "-c", _WITHOUT, str(script), *map(str, arguments), "--output", "classes.json"],
                          cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    written = folder / "classes.json"
    return done.returncode, done.stdout + done.stderr, json.loads(written.read_text()) if written.exists() else None
