#!lua
-- Appends an entry with a bar that was made anew from the exchange. It needs no token: it touches no head, so it stands in nobody's
-- way, and the partition's owner folds it in the log's order like any other entry.
-- Refused while Redis is over maxmemory, as every append is.
-- KEYS  heads, log
-- ARGV  nonce, payload
-- Gives {'OK', n}; {'UNSEEDED'} when the log has not begun; {'CORRUPT', reason}. A second run appends it again, which changes nothing:
-- the bar is then what it says.
local seq = redis.call('HGET', KEYS[1], 'seq')
if not seq then return { 'UNSEEDED' } end
local n = string.format('%.0f', tonumber(seq) + 1)
local added = redis.pcall('XADD', KEYS[2], n .. '-0', 'nonce', ARGV[1], 'entry', ARGV[2])
if type(added) == 'table' and added.err then return { 'CORRUPT', added.err } end
redis.call('HSET', KEYS[1], 'seq', n)
return { 'OK', n }
