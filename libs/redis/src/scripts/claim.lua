#!lua flags=allow-oom
-- Takes a partition for one kind of work and fences whoever had it.
-- KEYS  owner hash, lease
-- ARGV  owner name, lease ms, force (1: even while another's lease runs), uuid of this claim, feed shard that it is made for ('' for none)
-- Gives {'OK', token}, or {'BUSY', ms left}. A second run claims again with a higher epoch: harmless.
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] and ARGV[3] ~= '1' then
  return { 'BUSY', tostring(redis.call('PTTL', KEYS[2])) }
end
-- The epoch orders claims for people; the uuid tells two owners apart that a failover gave the same epoch.
local token = redis.call('HINCRBY', KEYS[1], 'epoch', 1) .. ':' .. ARGV[4]
-- Who it was, and as the leader of what, is for people too: the lease forgets it.
redis.call('HSET', KEYS[1], 'token', token, 'owner', ARGV[1])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'shard', ARGV[5]) end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 'OK', token }
