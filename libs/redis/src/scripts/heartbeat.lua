#!lua flags=allow-oom
-- Says that a member lives, by Redis' clock, and forgets those that were not heard. Runs over maxmemory too: members claim partitions,
-- and only their commits free memory.
-- KEYS  members
-- ARGV  member, ms after which a silent member is forgotten
-- Gives the names of those that live. A second run says the same again.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[2])))
return redis.call('ZRANGE', KEYS[1], 0, -1)
