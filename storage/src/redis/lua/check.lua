-- Calls what the other scripts call, so that a missing permission is known at once, and not in the
-- middle of a commit.
-- KEYS: a key that nothing else has
-- ARGV: channel
redis.call('INFO', 'replication')
redis.call('TIME')
redis.call('PUBLISH', ARGV[1], 'check')
redis.call('HSET', KEYS[1], 'a', '1', 'b', '2')
redis.call('HGET', KEYS[1], 'a')
redis.call('HMGET', KEYS[1], 'a', 'b')
redis.call('HGETALL', KEYS[1])
redis.call('HLEN', KEYS[1])
redis.call('HDEL', KEYS[1], 'a')
redis.call('PTTL', KEYS[1])
redis.call('PEXPIREAT', KEYS[1], '33000000000000')
redis.call('PERSIST', KEYS[1])
redis.call('UNLINK', KEYS[1])
redis.call('DEL', KEYS[1])
return {'done'}
