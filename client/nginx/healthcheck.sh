#!/bin/bash
# Whether nginx answers; bash speaks enough HTTP to ask.
exec 3<>/dev/tcp/127.0.0.1/8080 || exit 1
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS= read -r -t 2 line <&3 && [[ $line == "HTTP/1.1 200 "* ]]
