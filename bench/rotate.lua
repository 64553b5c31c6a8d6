-- wrk: POST distinct bodies in turn and stop at a count. BODIES is a file of bodies, each after its length (4 bytes, little
-- endian); TARGET is the path; MAX_REQUESTS ends the run before its time is over.
local requests, sent = {}, 0
local most = tonumber(os.getenv("MAX_REQUESTS"))

function init(_)
  local file = assert(io.open(os.getenv("BODIES"), "rb"))
  while true do
    local head = file:read(4)
    if not head then break end
    local a, b, c, d = head:byte(1, 4)
    local body = file:read(a + b * 256 + c * 65536 + d * 16777216)
    requests[#requests + 1] = wrk.format("POST", os.getenv("TARGET"), { ["Content-Type"] = "application/json" }, body)
  end
end

function request()
  sent = sent + 1
  if sent >= most then wrk.thread:stop() end
  return requests[sent % #requests + 1]
end

function done(summary, latency, _)
  local errors = summary.errors
  print(string.format(
    'RESULT {"answers":%d,"refused":%d,"lost":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f}',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
