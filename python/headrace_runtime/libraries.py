"""Brings a task its libraries, before user code: an environment of its own, seen by this process or by a fresh one.

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
    libraries = context.attempt["libraries"]
    if any("jar" in library or "maven" in library for library in libraries):
        from .environments.jars import prepare_jars

        prepare_jars(context, libraries)
    requested = read_requested(context.paths, libraries)
    if not requested.is_empty:
        environment = provide(context, requested)
        context.environment = environment.folder
    if (is_fresh_image() and _is_inside_own_layer(context)) or requested.is_empty:
        return
    overridden = layer.find_overridden(environment.folder, environment.modules)
    is_elsewhere = layer.is_inside_any() and not layer.is_inside(environment.folder)
    if (overridden or is_elsewhere) and not is_fresh_image():
        continue_in(context, environment.folder)
    for name in overridden:
        context.warn(f"the task's libraries bring {name}, but the runtime itself needs its own version of it")
    layer.enter_layer(context, environment.folder)


def _is_inside_own_layer(context: TaskContext) -> bool:
    """A notebook that has installed packages of its own, and has restarted Python."""
    from .notebook.packages import own_layer

    folder = own_layer(context)
    if not layer.is_inside(folder):
        return False
    layer.enter_layer(context, folder)
    return True
