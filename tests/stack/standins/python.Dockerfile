# Stands for python:3.13-slim-trixie: Debian 13's own CPython 3.13, found under /usr/local as in the real image, with its pip.
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-pip-whl \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
 && for name in python3.13 python3 python; do ln -s /usr/bin/python3.13 /usr/local/bin/$name; done \
 && python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" install --no-index --no-cache-dir --root-user-action ignore \
        /usr/share/python-wheels/pip-*.whl \
 && apt-get purge -y python3-pip-whl && rm -rf /var/lib/apt/lists/*
CMD ["python3"]
