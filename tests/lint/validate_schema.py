#!/usr/bin/python3
"""validate_schema.py SCHEMA VALID.json INVALID.json: an independent validator's word on the schema. Each file holds a
list of documents: it must take every one of the first and none of the second."""
import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


schema, valid, invalid = (load(path) for path in sys.argv[1:4])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
faults = []
for number, document in enumerate(valid):
    faults += [f"valid document {number}: {fault.json_path}: {fault.message[:200]}" for fault in validator.iter_errors(document)]
faults += [f"invalid document {number} is taken: {json.dumps(document)[:200]}"
           for number, document in enumerate(invalid) if validator.is_valid(document)]
print("\n".join(faults) or f"{len(valid)} taken, {len(invalid)} refused")
sys.exit(1 if faults else 0)
