#!lua flags=allow-oom
-- Writes feed states without touching the log, when there is nothing to append (a silent feed, a halt).
-- KEYS  owner hash, then feed hashes
-- ARGV  token, then one state per feed hash
-- Gives {'OK'} or {'FENCED'}. A second run writes the same.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return { 'FENCED' } end
for i = 2, #KEYS do redis.call('HSET', KEYS[i], 'state', ARGV[i]) end
return { 'OK' }
