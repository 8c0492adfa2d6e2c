"""The codes that checks can have, read off the source: a code that is put together at run time cannot be promised.

An expression is followed as far as a reader would follow it: a literal, a choice of two, a constant of this module or
an imported one, a value of a table, a local name, an f-string over an enumeration or a ``Literal``, and a parameter or
a field, whose values are those at every call of the function or class. Anything else is ``Unreadable``.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unreadable(Exception):
    """What a code is cannot be read off the source."""


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the module's dotted name, and the functions around it, the innermost first."""

    module: str
    functions: tuple[Function, ...] = ()


@dataclass(frozen=True)
class Call:
    """A call and where it stands."""

    node: ast.Call
    place: Place

    @property
    def where(self) -> str:
        """``gauntlet.data.skew, line 214``."""
        return f"{self.place.module}, line {self.node.lineno}"

    def argument(self, name: str) -> ast.expr | None:
        """What is given by keyword."""
        return next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)


@dataclass(frozen=True)
class Sources:
    """Modules by their dotted names."""

    texts: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path) -> Sources:
        """Every module below ``folder``, which holds a package."""
        paths = sorted(folder.rglob("*.py"))
        return cls({".".join(path.relative_to(folder).with_suffix("").parts): path.read_text() for path in paths})

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        """Their syntax."""
        return {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def calls(self) -> Mapping[str, tuple[Call, ...]]:
        """Name of the function or class → every call."""
        found: dict[str, list[Call]] = {}
        for module, tree in self.trees.items():
            for call in _calls(tree, Place(module)):
                function = call.node.func
                name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
                found.setdefault(name, []).append(call)
        return {name: tuple(calls) for name, calls in found.items()}

    def codes(self) -> Mapping[str, str]:
        """Code → where a check gets it. What cannot be read is a ``Unreadable``.

        A copy of another check (``Check(**...)`` alone) is none of its own.
        """
        found: dict[str, str] = {}
        for call in self.calls.get("Check", ()):
            if not call.node.args and all(keyword.arg is None for keyword in call.node.keywords):
                continue
            given = call.argument("code")
            if given is None:
                raise Unreadable(f"{call.where}: a check without a code")
            found |= dict.fromkeys(self.values(given, call.place), call.where)
        return found

    def values(self, given: ast.expr, place: Place) -> set[str]:
        """What an expression can be."""
        match given:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp(body=first, orelse=second):
                return self.values(first, place) | self.values(second, place)
            case ast.JoinedStr(values=parts):
                return {"".join(one) for one in itertools.product(*(self._part(part, place) for part in parts))}
            case ast.Subscript(value=ast.Name(id=name)):
                table, home = self._constant(name, place)
                if isinstance(table, ast.Dict):
                    return {text for value in table.values for text in self.values(value, home)}
            case ast.Name(id=name):
                return self._named(name, place)
            case ast.Attribute(value=owner, attr=attribute):
                return self._at_every_call(self._type(owner, place), attribute, place)
        raise Unreadable(f"{place.module}, line {given.lineno}: {ast.unparse(given)}")

    def _part(self, part: ast.expr, place: Place) -> set[str]:
        if not isinstance(part, ast.FormattedValue):
            return self.values(part, place)
        given = part.value
        if isinstance(given, ast.Attribute) and given.attr == "value":
            given = given.value
        return self._members(self._type(given, place), place)

    def _named(self, name: str, place: Place) -> set[str]:
        for depth, function in enumerate(place.functions):
            assigned = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
            ]
            if assigned:
                outside = Place(place.module, place.functions[depth:])
                return {text for value in assigned for text in self.values(value, outside)}
            if name in _annotations(function):
                return self._at_every_call(function.name, name, place)
        value, home = self._constant(name, place)
        return self.values(value, home)

    def _at_every_call(self, callee: str, parameter: str, place: Place) -> set[str]:
        private = callee.startswith("_")
        calls = [call for call in self.calls.get(callee, ()) if not private or call.place.module == place.module]
        given = [(call.argument(parameter), call) for call in calls]
        missing = [call.where for value, call in given if value is None]
        if missing or not calls:
            raise Unreadable(f"{callee}: not every call gives {parameter} by its name ({', '.join(missing)})")
        return {text for value, call in given if value is not None for text in self.values(value, call.place)}

    def _type(self, given: ast.expr, place: Place) -> str:
        """Name of the type that an expression is declared to have."""
        match given:
            case ast.Name(id=name):
                declared = next((found[name] for f in place.functions if name in (found := _annotations(f))), None)
            case ast.Attribute(value=owner, attr=attribute):
                home = self._class(self._type(owner, place), place)
                declared = next((ast.unparse(field.annotation) for field in _fields(home, attribute)), None)
            case _:
                declared = None
        if declared is None:
            raise Unreadable(f"{place.module}, line {given.lineno}: nothing says what {ast.unparse(given)} is")
        return declared

    def _members(self, type_: str, place: Place) -> set[str]:
        """The texts that a ``Literal`` or an enumeration allows."""
        try:
            listed: ast.expr = ast.parse(type_, mode="eval").body
            if isinstance(listed, ast.Name):
                listed, _ = self._constant(type_, place)
        except Unreadable:
            body = self._class(type_, place).body
            return {ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign)}
        if not (isinstance(listed, ast.Subscript) and ast.unparse(listed.value) == "Literal"):
            raise Unreadable(f"{place.module}: {type_} lists no texts")
        texts = ast.literal_eval(listed.slice)
        return set(texts) if isinstance(texts, tuple) else {texts}

    def _class(self, name: str, place: Place) -> ast.ClassDef:
        for module in (place.module, self._origin(name, place.module)):
            for node in self.trees[module].body if module in self.trees else ():
                if isinstance(node, ast.ClassDef) and node.name == name:
                    return node
        anywhere = [node for tree in self.trees.values() for node in tree.body if isinstance(node, ast.ClassDef)]
        found = [node for node in anywhere if node.name == name]
        if len(found) == 1:  # the type of a field, in the words of the module that declares the field
            return found[0]
        raise Unreadable(f"{place.module}: no class {name}")

    def _constant(self, name: str, place: Place) -> tuple[ast.expr, Place]:
        for module in (place.module, self._origin(name, place.module)):
            for node in self.trees[module].body if module in self.trees else ():
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                value = getattr(node, "value", None)
                if value is not None and any(isinstance(one, ast.Name) and one.id == name for one in targets):
                    return value, Place(module)
        anywhere = [
            (node.value, Place(module))
            for module, tree in self.trees.items()
            for node in tree.body
            if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [name]
        ]
        if len(anywhere) == 1:
            return anywhere[0]
        raise Unreadable(f"{place.module}: no constant {name}")

    def _origin(self, name: str, module: str) -> str:
        """The module that a name is imported from; empty: none."""
        imports = (node for node in self.trees[module].body if isinstance(node, ast.ImportFrom))
        return next((str(node.module) for node in imports if name in {alias.name for alias in node.names}), "")


def _calls(node: ast.AST, place: Place) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        inside = Place(place.module, (child, *place.functions)) if isinstance(child, Function) else place
        if isinstance(child, ast.Call):
            yield Call(child, place)
        yield from _calls(child, inside)


def _annotations(function: Function) -> dict[str, str]:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return {one.arg: ast.unparse(one.annotation) for one in arguments if one.annotation is not None}


def _fields(class_: ast.ClassDef, name: str) -> Iterator[ast.AnnAssign]:
    for node in class_.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield node
