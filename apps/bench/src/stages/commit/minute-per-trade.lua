-- What one writes instead of the aggregator: folds one trade into its bar of a minute, once, in doubles, and tells it.
-- KEYS  bar, position, channel    ARGV  trade id, open time of the minute, price, quantity, taker side
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then return 0 end
local bar = redis.call('HMGET', KEYS[1], 'openTime', 'high', 'low', 'volume', 'quote', 'taker', 'count')
local price, quantity = tonumber(ARGV[3]), tonumber(ARGV[4])
local taker = ARGV[5] == 'b' and quantity or 0
if bar[1] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'openTime', ARGV[2], 'open', ARGV[3], 'high', ARGV[3], 'low', ARGV[3], 'close', ARGV[3],
    'volume', quantity, 'quote', price * quantity, 'taker', taker, 'count', 1)
else
  redis.call('HSET', KEYS[1], 'high', math.max(tonumber(bar[2]), price), 'low', math.min(tonumber(bar[3]), price),
    'close', ARGV[3], 'volume', tonumber(bar[4]) + quantity, 'quote', tonumber(bar[5]) + price * quantity,
    'taker', tonumber(bar[6]) + taker, 'count', tonumber(bar[7]) + 1)
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('PUBLISH', KEYS[3], ARGV[2] .. ' ' .. ARGV[3])
return 1
