-- The session comes by environment, the result leaves as one line of JSON.
wrk.headers["Cookie"] = os.getenv("COOKIE")

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %.2f, "failed": %d, "p50_ms": %.1f, "p99_ms": %.1f, "max_ms": %.1f}\n',
        summary.requests, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
