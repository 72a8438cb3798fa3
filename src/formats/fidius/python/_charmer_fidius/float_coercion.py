"""Integers that arrive where an interface says f32 or f64 become floats: 1 and 1.0 are one number in JavaScript.

A type is a string (``f64``) or an object with one key that says its shape, as written by the TypeScript half in
``type-descriptor.ts``. Types without a float inside have no plan, so their values are never walked.
"""

from __future__ import annotations

# `typing` costs milliseconds at every start; type checkers take any variable of this name as true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Plan = Callable[[Any], Any]


def plans_for(arguments: list[dict[str, Any]], named_types: dict[str, Any]) -> list[Plan | None]:
    """One plan per argument in order, None where values stay as they are."""
    return [plan_of(argument.get('type'), named_types, frozenset()) for argument in arguments]


def plan_of(kind: Any, named: dict[str, Any], seen: frozenset[str]) -> Plan | None:
    if kind in ('f32', 'f64'):
        return to_float
    if not isinstance(kind, dict) or len(kind) != 1:
        return None
    shape, inner = next(iter(kind.items()))
    if shape in ('option', 'box'):
        return plan_of(inner, named, seen)
    if shape in ('vec', 'set'):
        return over_items(plan_of(inner, named, seen))
    if shape == 'array':
        return over_items(plan_of(inner[0], named, seen))
    if shape == 'tuple':
        return over_positions([plan_of(item, named, seen) for item in inner])
    if shape == 'map':
        return over_values(plan_of(inner[1], named, seen))
    if shape == 'stream':
        return over_stream(plan_of(inner, named, seen))
    if shape == 'named' and inner in named and inner not in seen:
        return plan_of_named(named[inner], named, seen | {inner})
    return None


def plan_of_named(declared: dict[str, Any], named: dict[str, Any], seen: frozenset[str]) -> Plan | None:
    if 'struct' in declared:
        return over_fields({name: plan_of(kind, named, seen) for name, kind in declared['struct'].items()})
    if 'newtype' in declared:
        return plan_of(declared['newtype'], named, seen)
    if 'tuple' in declared:
        return over_positions([plan_of(item, named, seen) for item in declared['tuple']])
    if 'tag' in declared and 'content' not in declared:
        variants = {name: plan_of_variant(kind, named, seen) for name, kind in declared['enum'].items()}
        return over_variants(declared['tag'], variants)
    if 'enum' in declared:
        return over_fields({name: plan_of_variant(kind, named, seen) for name, kind in declared['enum'].items()})
    return None


def plan_of_variant(declared: Any, named: dict[str, Any], seen: frozenset[str]) -> Plan | None:
    return plan_of_named(declared, named, seen) if isinstance(declared, dict) else None


def to_float(value: Any) -> Any:
    return float(value) if type(value) is int else value


def over_items(plan: Plan | None) -> Plan | None:
    if plan is to_float:
        return floats_of
    if plan is None:
        return None
    return lambda value: [plan(item) for item in value] if isinstance(value, list) else value


def floats_of(value: Any) -> Any:
    """Lists of numbers are the common large argument; a list of floats is handed on untouched."""
    if not isinstance(value, list) or int not in set(map(type, value)):
        return value
    return [float(item) if type(item) is int else item for item in value]


def over_positions(plans: list[Plan | None]) -> Plan | None:
    if not any(plans):
        return None

    def apply(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(plans):
            return value
        return [plan(item) if plan else item for plan, item in zip(plans, value)]

    return apply


def over_values(plan: Plan | None) -> Plan | None:
    if plan is None:
        return None
    return lambda value: {key: plan(item) for key, item in value.items()} if isinstance(value, dict) else value


def over_fields(plans: dict[str, Plan | None]) -> Plan | None:
    if not any(plans.values()):
        return None

    def apply(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: plan(item) if (plan := plans.get(key)) else item for key, item in value.items()}

    return apply


def over_variants(tag: str, plans: dict[str, Plan | None]) -> Plan | None:
    if not any(plans.values()):
        return None

    def apply(value: Any) -> Any:
        plan = plans.get(value.get(tag)) if isinstance(value, dict) else None
        return plan(value) if plan else value

    return apply


def over_stream(plan: Plan | None) -> Plan | None:
    return None if plan is None else lambda items: map(plan, items)
