#!lua flags=allow-oom
-- Empties a log in which entries are missing that nobody has folded (deleted by hand, trimmed too far, a torn restore), so
-- that the ingestor appends again from where the bars stand.
-- KEYS  owner hash, heads, log, position, then symbol states
-- ARGV  token, then the symbol of each state
-- Gives {'OK', pos} with the position to read on from, or {'FENCED'}. A second run finds an empty log and does the same.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return { 'FENCED' } end
local seq = tonumber(redis.call('HGET', KEYS[2], 'seq') or '0')
local pos = tonumber(redis.call('HGET', KEYS[4], 'pos') or '0')
local info = redis.pcall('XINFO', 'STREAM', KEYS[3])
if not info.err then seq = math.max(seq, tonumber(string.match(info[8], '^(%d+)'))) end
local at = string.format('%.0f', math.max(seq, pos))
for i = 2, #ARGV do
  local last = redis.call('HGET', KEYS[3 + i], 'lastTradeId')
  if last then redis.call('HSET', KEYS[2], ARGV[i], last) else redis.call('HDEL', KEYS[2], ARGV[i]) end
end
redis.call('HSET', KEYS[2], 'seq', at)
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[4], 'pos', at)
redis.call('HINCRBY', KEYS[4], 'rev', 1)
return { 'OK', at }
