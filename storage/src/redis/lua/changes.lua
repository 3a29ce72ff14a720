-- Reads the parts that were written or removed after a revision, as they are now.
-- KEYS: info, parts, log, commits
-- ARGV: format, incarnation, number, idle time in ms (0: forever)
local info, parts, log = KEYS[1], KEYS[2], KEYS[3]
local at = redis.call('HMGET', info, 'format', 'incarnation', 'number', 'first')
if not at[2] then
  return {'gone'}
end
if tonumber(at[1]) > tonumber(ARGV[1]) then
  return {'newer', at[1]}
end
local since, number = tonumber(ARGV[3]), tonumber(at[3])
if at[2] ~= ARGV[2] or since > number or since + 1 < tonumber(at[4]) then
  return {'old'}
end
local seen, names = {}, {}
for n = since + 1, number do
  local entry = redis.call('HGET', log, string.format('%.0f', n))
  local packed = string.sub(entry, string.find(entry, ':', 1, true) + 1)
  for _, name in ipairs(cmsgpack.unpack(packed)) do
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
end
local values = {}
for from = 1, #names, 4000 do
  local piece = redis.call('HMGET', parts, unpack(names, from, math.min(from + 3999, #names)))
  for i = 1, #piece do
    values[#values + 1] = piece[i]
  end
end

-- Reading is use, too: what is read does not expire.
local idle = tonumber(ARGV[4])
if idle > 0 and redis.call('PTTL', info) < idle * 0.9 then
  local time = redis.call('TIME')
  local at_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + idle)
  for i = 1, 4 do
    redis.call('PEXPIREAT', KEYS[i], at_ms)
  end
end
return {'changes', at[2], at[3], names, values}
