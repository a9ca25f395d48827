"""JSON Schemas that a person writes into options."""

from __future__ import annotations

from typing import Any


def checked_schema(value: dict[str, Any]) -> dict[str, Any]:
    """The schema, as it is.

    Raises:
        ValueError: it is none (2020-12, unless its `$schema` says else); a clause that says where.
    """
    from jsonschema import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(value, default=Draft202012Validator).check_schema(value)
    except SchemaError as error:
        where = "/".join(map(str, error.path))
        raise ValueError(
            f"not a JSON Schema: {error.message}" + (f" (at {where})" if where else "")
        ) from None
    except RecursionError:
        raise ValueError("not a JSON Schema: nested too deeply") from None
    return value
