"""Installs a task's libraries, each once per content, into `<data root>/libraries/<sha256>`.

A process that has loaded a module which the environment has in another version can never see that version: then the
task goes on in a fresh image of this process, started by the environment's own interpreter (`own_image.py`).
"""

from __future__ import annotations

from .environments import layer
from .environments.cache import provide
from .environments.requested import read_requested
from .own_image import continue_in, is_fresh_image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .context import TaskContext


def prepare_libraries(context: TaskContext) -> None:
    """Make every library of the task importable; may not return, and then the task begins again elsewhere."""
    requested = read_requested(context.paths, context.attempt["libraries"])
    if not requested.is_empty:
        environment = provide(context, requested)
        context.environment = environment.folder
    if (is_fresh_image() and _is_inside_own_layer(context)) or requested.is_empty:
        return
    wheel_folders = []
    for library in libraries:
        folder = _install_library(context, library)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        _warn_of_loaded_modules(context, folder)
        if "whl" in library:
            wheel_folders.append(folder)
    missing = sorted({line for folder in wheel_folders for line in _missing_requirements(folder)})
    if missing:
        # Last on the path: what the environment has already must win, or its packages would be mixed.
        sys.path.append(_install_requirements(context, missing))


def essential_line(output: str) -> str:
    """The one line of pip's output that says what was wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    chosen = errors[-1] if errors else lines[-1] if lines else "pip said nothing"
    return chosen.removeprefix("ERROR:").strip()


def _install_library(context: TaskContext, library: LibraryDocument) -> str:
    if "whl" in library:
        return _install_wheel(context, library["whl"])
    if "pypi" in library:
        return _install_requirements(context, [library["pypi"]["package"]])
    if "requirements" in library:
        with open(_locate(context, library["requirements"]), encoding="utf-8") as file:
            lines = [line.strip() for line in file]
        return _install_requirements(context, [line for line in lines if line and not line.startswith("#")])
    raise TaskFailure(
        "LIBRARY_INSTALLATION_ERROR",
        f"library {', '.join(library)} is not supported; supported are whl, pypi and requirements",
    )


def _locate(context: TaskContext, name: str) -> str:
    real = context.paths.locate_code(name)
    if real is None or not os.path.isfile(real):
        raise TaskFailure(
            "LIBRARY_INSTALLATION_ERROR", f"library {name} could not be installed: the file does not exist"
        )
    return real


def _install_wheel(context: TaskContext, name: str) -> str:
    wheel = _locate(context, name)
    if not wheel.endswith(".whl"):
        raise TaskFailure("LIBRARY_INSTALLATION_ERROR", f"library {name} could not be installed: it is not a .whl file")

    def install(folder: str) -> None:
        _run_pip(name, ["--no-deps", "--no-index", "--target", folder, wheel], context)

    return _install_once(context.paths.libraries, _hash_file(wheel), install)


def _install_requirements(context: TaskContext, lines: list[str]) -> str:
    import hashlib

    # Unlike a wheel's content, a requirement means other files on another Python or machine.
    identity = "\n".join([sys.version.split()[0], sys.platform, *lines])
    key = hashlib.sha256(identity.encode()).hexdigest()

    def install(folder: str) -> None:
        _run_pip(", ".join(lines), ["--target", folder, *_split_options(lines)], context)

    return _install_once(context.paths.libraries, key, install)


def _split_options(lines: list[str]) -> Iterable[str]:
    """Options such as `--index-url …` in a requirements list are words of their own."""
    for line in lines:
        line = re.sub(r"\s+#.*$", "", line)
        if line.startswith("-"):
            yield from line.split(maxsplit=1)
        else:
            yield line


def _install_once(libraries: str, key: str, install: Callable[[str], None]) -> str:
    target = os.path.join(libraries, key)
    if os.path.isdir(target):
        return target
    import shutil
    import tempfile

    os.makedirs(libraries, exist_ok=True)
    temporary = tempfile.mkdtemp(prefix=".installing-", dir=libraries)
    try:
        install(temporary)
        os.chmod(temporary, 0o755)
        os.rename(temporary, target)
    except OSError:
        if not os.path.isdir(target):  # else another task was first, with the same content
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _run_pip(name: str, arguments: list[str], context: TaskContext) -> None:
    import subprocess

    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--compile"]
    command += ["--root-user-action=ignore", "--no-warn-script-location", *arguments]
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=context.paths.libraries,
            timeout=PIP_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TaskFailure(
            "LIBRARY_INSTALLATION_ERROR",
            f"library {name} could not be installed: pip took more than {PIP_SECONDS_MAX} s",
        ) from None
    if finished.returncode:
        output = finished.stdout.decode("utf-8", "replace")
        print(context.paths.show(output), file=sys.stderr, end="", flush=True)
        reason = context.paths.show(essential_line(output))
        raise TaskFailure("LIBRARY_INSTALLATION_ERROR", f"library {name} could not be installed: {reason}")


def _hash_file(path: str) -> str:
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _missing_requirements(folder: str) -> list[str]:
    """What the wheel in a folder asks for and the environment, with the task's other libraries, does not have."""
    lines = _read_requirements(folder)
    if not lines:
        return []
    import importlib
    import importlib.metadata

    try:
        parser: Any = importlib.import_module("packaging.requirements")
    except ImportError:
        parser = importlib.import_module("pip._vendor.packaging.requirements")
    missing = []
    for line in lines:
        requirement = parser.Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            missing.append(line)
    return missing


def _read_requirements(folder: str) -> list[str]:
    requirements = []
    for name in os.listdir(folder):
        if not name.endswith(".dist-info"):
            continue
        with open(os.path.join(folder, name, "METADATA"), encoding="utf-8") as file:
            for line in file:
                if not line.strip():
                    break  # the description begins
                if line.startswith("Requires-Dist:"):
                    requirements.append(line.partition(":")[2].strip())
    return requirements


def _warn_of_loaded_modules(context: TaskContext, folder: str) -> None:
    """The host imports some packages before it forks tasks: another version in a library comes too late."""
    loaded = [name for name in os.listdir(folder) if "." not in name and name in sys.modules and name != "__pycache__"]
    for name in loaded:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin and not origin.startswith(folder):
            context.warn(f"the task's library brings {name}, but this cluster has loaded its own version of it already")
