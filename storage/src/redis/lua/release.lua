-- Gives a lease back; its token stays known.
-- KEYS: lease
-- ARGV: holder
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = redis.call('HMGET', KEYS[1], 'holder', 'until')
if at[1] ~= ARGV[1] or tonumber(at[2]) <= now then
  return {'taken'}
end
redis.call('HSET', KEYS[1], 'until', '0')
return {'done'}
