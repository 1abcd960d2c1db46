#!lua flags=no-writes
-- Reads several hashes as one moment left them. A script that cannot write runs over maxmemory too, where MULTI is refused.
-- KEYS  hashes
-- Gives one flat list of fields and values for each, empty where there is none. A second run reads again.
local hashes = {}
for i, key in ipairs(KEYS) do hashes[i] = redis.call('HGETALL', key) end
return hashes
