#!lua flags=no-writes
-- How the aggregation of a partition stands, as one moment left it. Runs over maxmemory too.
-- KEYS  lease, position, heads
-- Gives {owner or '', number of the last entry in the bars, number of the last entry in the log}. A second run looks again.
return { redis.call('GET', KEYS[1]) or '', redis.call('HGET', KEYS[2], 'pos') or '0', redis.call('HGET', KEYS[3], 'seq') or '0' }
