//! The scripts, which Redis runs one at a time, each whole or not at all.

use redis::{Cmd, ConnectionLike, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, Value};

/// The version of the layout of keys that this build writes.
pub(super) const FORMAT: u32 = 1;
/// How many commits are known by their ids.
pub(super) const REMEMBERED_COMMITS: u32 = 1_000;

pub(super) const COMMIT: &str = include_str!("lua/commit.lua");
pub(super) const CHANGES: &str = include_str!("lua/changes.lua");
pub(super) const WHOLE: &str = include_str!("lua/whole.lua");
pub(super) const DELETE: &str = include_str!("lua/delete.lua");
pub(super) const ACQUIRE: &str = include_str!("lua/acquire.lua");
pub(super) const RELEASE: &str = include_str!("lua/release.lua");
pub(super) const CHECK: &str = include_str!("lua/check.lua");

/// What a script answers: a word, and what goes with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) word: String,
    rest: std::vec::IntoIter<Value>,
}

impl Answer {
    /// The next of its values.
    pub(super) fn next<T: FromRedisValue>(&mut self) -> RedisResult<T> {
        Ok(T::from_redis_value(self.rest.next().unwrap_or(Value::Nil))?)
    }
}

/// A script with its hash.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_string();
        Self { text, hash }
    }

    /// Runs it: by its hash, and by its text where the server does not know that, as after it was
    /// started anew or its script cache was flushed.
    pub(super) fn run(
        &self,
        connection: &mut dyn ConnectionLike,
        keys: &[String],
        arguments: &dyn Fn(&mut Cmd),
    ) -> RedisResult<Answer> {
        let run = |name: &str, script: &str, connection: &mut dyn ConnectionLike| {
            let mut command = redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys);
            arguments(&mut command);
            command.query::<Vec<Value>>(connection)
        };
        let answer = match run("EVALSHA", &self.hash, connection) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                run("EVAL", self.text, connection)
            }
            answer => answer,
        };
        let mut rest = answer?.into_iter();
        let word = String::from_redis_value(rest.next().unwrap_or(Value::Nil))?;
        Ok(Answer { word, rest })
    }
}
