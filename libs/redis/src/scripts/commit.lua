#!lua flags=allow-oom
-- Commits what a batch of log entries made of a partition: bars, closed bars, position, update; all or nothing.
-- KEYS  owner hash, position, log, pending, updates channel, then symbol states, then bar hashes
-- ARGV  token, expected pos, expected rev, new pos, nonce of the entry at new pos, trim entries before ('' for none),
--       update ('' for none), symbols, bars, closed bars, then per symbol: last trade id, live text, closed text ('' keeps
--       the stored one); per bar: 19 values in the order of FIELDS; per closed bar: field, value
-- Gives {'OK', rev}; {'FENCED'}; {'CONFLICT', pos, rev} when the partition moved on, or when the last entry that was
-- folded is no longer in the log (Redis lost it, and another may stand there). A second run answers OK and does nothing.
-- Everything that could fail comes before the position moves, since a script that fails is not rolled back.
local FIELDS = { 'openTime', 'closeTime', 'open', 'high', 'low', 'close', 'baseVolume', 'quoteVolume',
  'takerBuyBaseVolume', 'takerBuyQuoteVolume', 'tradeCount', 'firstTradeId', 'lastTradeId', 'state', 'revision',
  'complete', 'position', 'throughTradeId', 'throughTime' }
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return { 'FENCED' } end
local at = redis.call('HMGET', KEYS[2], 'pos', 'rev', 'by')
local pos, rev = at[1] or '0', at[2] or '0'
local newRev = string.format('%.0f', tonumber(ARGV[3]) + 1)
if pos == ARGV[4] and rev == newRev and at[3] == ARGV[1] then return { 'OK', rev } end
if pos ~= ARGV[2] or rev ~= ARGV[3] then return { 'CONFLICT', pos, rev } end
local last = redis.call('XRANGE', KEYS[3], ARGV[4] .. '-0', ARGV[4] .. '-0')
if not last[1] or last[1][2][2] ~= ARGV[5] then return { 'CONFLICT', pos, rev } end
local symbols, bars, closed = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local next = 11
for i = 1, symbols do
  redis.call('HSET', KEYS[5 + i], 'lastTradeId', ARGV[next], 'live', ARGV[next + 1])
  if ARGV[next + 2] ~= '' then redis.call('HSET', KEYS[5 + i], 'closed', ARGV[next + 2]) end
  next = next + 3
end
for i = 1, bars do
  local values = {}
  for field = 1, #FIELDS do
    values[#values + 1] = FIELDS[field]
    values[#values + 1] = ARGV[next]
    next = next + 1
  end
  redis.call('HSET', KEYS[5 + symbols + i], unpack(values))
end
for _ = 1, closed do
  redis.call('HSET', KEYS[4], ARGV[next], ARGV[next + 1])
  next = next + 2
end
if ARGV[6] ~= '' then redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[6] .. '-0') end
redis.call('HSET', KEYS[2], 'pos', ARGV[4], 'rev', newRev, 'by', ARGV[1])
if ARGV[7] ~= '' then redis.call('SPUBLISH', KEYS[5], ARGV[7]) end
return { 'OK', newRev }
