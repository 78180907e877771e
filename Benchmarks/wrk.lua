-- For wrk: sends the header that stands in the file HEADER, and ends with a line that has the median and the 99th
-- percentile in milliseconds, the requests, and those that failed.

local name, value = io.open(os.getenv("HEADER")):read("a*"):match("^(%S+): (%S+)")
wrk.headers[name] = value

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("measured %.1f %.1f %d %d\n",
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests, failed))
end
