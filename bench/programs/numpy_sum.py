"""The same sum with numpy."""

import json
import sys

import numpy

request = json.load(sys.stdin)
json.dump(int(numpy.add(request['a'], request['b'])), sys.stdout)
