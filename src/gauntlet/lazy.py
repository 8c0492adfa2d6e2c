"""Names that a package offers without importing the modules that define them.

``from gauntlet.data import import_files`` has to be short, and ``import gauntlet.data`` has to stay free of Arrow: a
package's ``__getattr__`` (PEP 562) imports the defining module when the name is first read.

    if TYPE_CHECKING:
        from gauntlet.data.files import import_files
    else:
        __getattr__ = lazy_exports(__name__, {"import_files": "gauntlet.data.files"})
"""

import sys

TYPE_CHECKING = False  # typing's own would be the only reason to import typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_exports(package: str, modules: "Mapping[str, str]") -> "Callable[[str], object]":
    """The ``__getattr__`` of a package.

    Args:
        package: its ``__name__``.
        modules: name → the module that defines it. A submodule of the package must not have the same name: it would
            take the name's place once it is imported.
    """

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import importlib  # only here, since most who import the package never read a name from it

        value: object = getattr(importlib.import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)  # the next read finds it without coming here
        return value

    return get
