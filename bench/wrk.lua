-- Send the requests of a file in turn, from a place of chance on, and tell what came of it as a line of JSON.
-- The file holds, for each request, its length in bytes as a line, its bytes and a line feed.
local requests, sent = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for length in function() return file:read("*l") end do
    requests[#requests + 1] = file:read(tonumber(length))
    file:read(1)
  end
  file:close()
  math.randomseed(os.time())
  sent = math.random(#requests)
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

-- Times are microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "duration": %d, "p50": %.0f, "p99": %.0f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
