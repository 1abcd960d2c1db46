#!lua flags=allow-oom
-- Lets go of a partition, so that the next owner need not wait for the lease to run out.
-- KEYS  owner hash, lease
-- ARGV  owner name, token
-- Gives {'OK'}, or {'FENCED'} when another has claimed already. A second run answers FENCED and changes nothing.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return { 'FENCED' } end
redis.call('HSET', KEYS[1], 'token', 'free')
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return { 'OK' }
