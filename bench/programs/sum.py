"""One JSON document in, one out: what a spawned process per call does."""

import json
import sys

request = json.load(sys.stdin)
json.dump(request['a'] + request['b'], sys.stdout)
