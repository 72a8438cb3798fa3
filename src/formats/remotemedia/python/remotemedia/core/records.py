"""Plain records: what `@dataclass` gives, without the milliseconds it takes per class when a process starts.

A record writes its own constructor, whose parameters are its fields. What `dataclasses` offers (`fields()`, `asdict()`,
`replace()`, `is_dataclass()`) works on it: the fields are made when somebody asks for them.
"""

from __future__ import annotations

from typing import Any


class _Fields:
    """`__dataclass_fields__`, made from the constructor at first use."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        from dataclasses import field, make_dataclass
        from inspect import Parameter, signature

        parameters = [value for name, value in signature(owner.__init__).parameters.items() if name != 'self']
        entries = [
            (value.name, value.annotation)
            if value.default is Parameter.empty
            else (value.name, value.annotation, field(default=value.default))
            for value in parameters
        ]
        fields = getattr(make_dataclass(owner.__name__, entries), '__dataclass_fields__')  # noqa: B009
        owner.__dataclass_fields__ = fields
        return fields


class Record:
    """Base of records. Two of one class with equal fields are equal."""

    __dataclass_fields__ = _Fields()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__dataclass_fields__ = _Fields()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__: Any = None

    def __repr__(self) -> str:
        fields = ', '.join(f'{name}={value!r}' for name, value in vars(self).items() if not name.startswith('_'))
        return f'{type(self).__name__}({fields})'
