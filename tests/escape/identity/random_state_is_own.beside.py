import multiprocessing
import random
import ssl
import tempfile
import uuid

import numpy

numbers = [random.random(), numpy.random.random(), numpy.random.default_rng().random(), random.SystemRandom().random()]
names = [next(tempfile._get_candidate_names()), uuid.uuid1().node, uuid.uuid4().hex, multiprocessing.current_process().authkey.hex(),
         ssl.RAND_bytes(16).hex()]
print(numbers + names)
