"""YAML files in which every key and value knows its line, and whose faults read as plain words.

``load_yaml`` reads a file, ``resolve`` puts the files that it names in their place, ``validate``
turns the whole into a model of Pydantic or raises one ``ConfigError`` with all faults.
"""

from reformsim.config.document import (
    ConfigError,
    Document,
    Fault,
    Keys,
    Spot,
    load_yaml,
    show,
    suggest,
)
from reformsim.config.references import REFERENCES, configs, resolve
from reformsim.config.validation import validate

__all__ = [
    "REFERENCES",
    "ConfigError",
    "Document",
    "Fault",
    "Keys",
    "Spot",
    "configs",
    "load_yaml",
    "resolve",
    "show",
    "suggest",
    "validate",
]
