#!/bin/sh
# Renders what depends on the environment into /run/nginx, then becomes nginx, which so is the process that gets the signals.
#
# Every value is looked at before it is written into nginx's configuration: one that cannot be used ends the start with a
# sentence that names the variable. docs/how-to/deploy-with-docker.md lists them.
# shellcheck disable=SC2016 # the dollars in quotes are nginx'
set -eu
rendered=/run/nginx

refuse() { echo "wherry-web: $*" >&2; exit 1; }
# matches VALUE PATTERN: the whole value is what the extended regular expression says, on one line
matches() { printf '%s' "$1" | grep -Eqx -- "$2" && [ "$(printf '%s' "$1" | wc -l)" -eq 0 ]; }

API_UPSTREAM=${API_UPSTREAM:-server:4000}
UPSTREAM_MODE=${UPSTREAM_MODE:-auto}
TRUSTED_PROXIES=$(printf '%s' "${TRUSTED_PROXIES:-}" | tr ',' ' ')
RATE_LIMIT=${RATE_LIMIT:-100r/s}
RATE_BURST=${RATE_BURST:-200}
CONNECTION_LIMIT=${CONNECTION_LIMIT:-100}
MAX_BODY=${WHERRY_MAX_BODY:-10485760}
WEB_WORKERS=${WEB_WORKERS:-2}
TLS_CERT_FILE=${TLS_CERT_FILE:-}
TLS_KEY_FILE=${TLS_KEY_FILE:-}
TLS_PORT=${TLS_PORT:-8443}

matches "$API_UPSTREAM" '[A-Za-z0-9._-]+:[0-9]{1,5}' || refuse "API_UPSTREAM is '$API_UPSTREAM': write a name and a port, server:4000."
matches "$UPSTREAM_MODE" 'auto|variable|resolve' || refuse "UPSTREAM_MODE is '$UPSTREAM_MODE': write auto, variable or resolve."
matches "$RATE_LIMIT" '[1-9][0-9]*r/[sm]|off' || refuse "RATE_LIMIT is '$RATE_LIMIT': write requests a second or a minute, 100r/s, or off."
matches "$RATE_BURST" '[0-9]{1,6}' || refuse "RATE_BURST is '$RATE_BURST': write a number."
matches "$CONNECTION_LIMIT" '[1-9][0-9]{0,4}' || refuse "CONNECTION_LIMIT is '$CONNECTION_LIMIT': write a number above 0."
matches "$MAX_BODY" '[1-9][0-9]{0,17}' || refuse "WHERRY_MAX_BODY is '$MAX_BODY': write a number of bytes."
matches "$WEB_WORKERS" '[1-9][0-9]?' || refuse "WEB_WORKERS is '$WEB_WORKERS': write a number from 1 to 99."
matches "$TLS_PORT" '[1-9][0-9]{0,4}' || refuse "TLS_PORT is '$TLS_PORT': write a port."
for network in $TRUSTED_PROXIES; do
    matches "$network" '[0-9A-Fa-f.:]+(/[0-9]{1,3})?' ||
        refuse "TRUSTED_PROXIES has '$network': write addresses and networks, 10.0.0.0/8 192.0.2.7."
done

version=$(nginx -v 2>&1 | sed 's|.*nginx/\([0-9.]*\).*|\1|')

echo "worker_processes $WEB_WORKERS;" >"$rendered/main.conf"

# Names are looked up again after a second, so that a replica which was replaced or added is found.
resolvers=$(awk '$1 == "nameserver" { print ($2 ~ /:/) ? "[" $2 "]" : $2 }' /etc/resolv.conf | tr '\n' ' ')
[ -n "$resolvers" ] || refuse "/etc/resolv.conf names no server to look names up with."
echo "resolver ${resolvers}valid=1s ipv6=off; resolver_timeout 2s;" >"$rendered/resolver.conf"

{
    echo 'geo $realip_remote_addr $from_trusted_proxy {'
    echo '    default 0;'
    for network in $TRUSTED_PROXIES; do echo "    $network 1;"; done
    echo '}'
    if [ -n "$TRUSTED_PROXIES" ]; then
        for network in $TRUSTED_PROXIES; do echo "set_real_ip_from $network;"; done
        echo 'real_ip_header X-Forwarded-For;'
        echo 'real_ip_recursive on;'
    fi
} >"$rendered/proxies.conf"

{
    echo "client_max_body_size $MAX_BODY;"
    echo 'limit_conn_zone $binary_remote_addr zone=per_address:1m;'
    [ "$RATE_LIMIT" = off ] || echo "limit_req_zone \$binary_remote_addr zone=requests:2m rate=$RATE_LIMIT;"
    echo "map \$host \$max_body { default $MAX_BODY; }"
} >"$rendered/limits.conf"
[ "$RATE_LIMIT" = off ] && : >"$rendered/request-rate.conf" ||
    echo "limit_req zone=requests burst=$RATE_BURST nodelay;" >"$rendered/request-rate.conf"
echo "limit_conn per_address $CONNECTION_LIMIT;" >"$rendered/connections.conf"

# From 1.27.3 on nginx resolves the servers of an upstream again, and keeps connections to them. Before, it does so only
# for a name in a variable, at the price of a connection for each request.
if [ "$UPSTREAM_MODE" = auto ]; then
    UPSTREAM_MODE=variable
    [ "$(printf '%s\n1.27.3\n' "$version" | sort -V | head -n 1)" != 1.27.3 ] || UPSTREAM_MODE=resolve
fi
if [ "$UPSTREAM_MODE" = resolve ]; then
    echo "upstream api { zone api 128k; server $API_UPSTREAM resolve max_fails=0; keepalive 32; keepalive_timeout 60s; }" >"$rendered/upstream.conf"
    echo 'proxy_pass http://api;' >"$rendered/api-pass.conf"
else
    : >"$rendered/upstream.conf"
    printf 'set $api_upstream "%s";\nproxy_pass http://$api_upstream;\n' "$API_UPSTREAM" >"$rendered/api-pass.conf"
fi

if [ -n "$TLS_CERT_FILE$TLS_KEY_FILE" ]; then
    for file in "$TLS_CERT_FILE" "$TLS_KEY_FILE"; do
        matches "$file" '/[A-Za-z0-9._/-]+' || refuse "TLS_CERT_FILE and TLS_KEY_FILE are '$TLS_CERT_FILE' and '$TLS_KEY_FILE': write the absolute paths of both."
        [ -r "$file" ] || refuse "TLS_CERT_FILE or TLS_KEY_FILE is $file, which the user $(id -u) cannot read."
    done
    [ "$TLS_PORT" = 443 ] && port= || port=":$TLS_PORT"
    cat >"$rendered/tls.conf" <<END
listen 8443 ssl default_server;
http2 on;
ssl_certificate $TLS_CERT_FILE;
ssl_certificate_key $TLS_KEY_FILE;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
ssl_prefer_server_ciphers off;
ssl_session_cache shared:tls:2m;
ssl_session_timeout 1d;
ssl_session_tickets off;
if (\$goes_to_https) { return 308 https://\$host$port\$request_uri; }
END
else
    : >"$rendered/tls.conf"
fi

printf '{"time":"%s","level":"info","service":"web","msg":"starting","nginx":"%s","upstream":"%s","upstreamMode":"%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$version" "$API_UPSTREAM" "$UPSTREAM_MODE"
exec "$@"
