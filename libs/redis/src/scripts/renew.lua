#!lua flags=allow-oom
-- Prolongs the lease of the present owner.
-- KEYS  owner hash, lease
-- ARGV  owner name, lease ms, token
-- Gives {'OK'}, or {'FENCED'} when another has claimed. A second run prolongs again.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[3] then return { 'FENCED' } end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 'OK' }
