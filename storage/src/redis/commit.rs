//! Writes a commit, and waits for replicas where that is wanted.

use redis::{Cmd, RedisResult};

use crate::error::{StoreError, StoreErrorKind, conflict, fenced};
use crate::redis::options::WaitFor;
use crate::redis::script::{Answer, FORMAT, REMEMBERED_COMMITS};
use crate::redis::servers::Connection;
use crate::redis::{LONGEST_MS, RedisStore, of_revision, other, revision};
use crate::store::{Commit, StoreRevision};

impl RedisStore {
    /// Writes and removes parts, all or none.
    pub(super) fn write(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let (mut answer, have) = self.run_commit(key, commit)?;
        match answer.word.as_str() {
            "done" => {
                let wanted = self.options.wait.map_or(0, |wait| wait.replicas);
                if let Some(have) = have.filter(|have| *have < wanted) {
                    let problem = format!(
                        "the commit is in Redis, but {have} replicas of {wanted} have it so far; repeat \
                         it with the same id"
                    );
                    return Err(StoreError::new(
                        StoreErrorKind::Unavailable,
                        Some(key),
                        problem,
                    ));
                }
                revision(key, &mut answer)
            }
            "conflict" => Err(conflict(key)),
            "fenced" => Err(fenced(
                key,
                commit.fence.as_ref().map_or("", |fence| &fence.lease),
            )),
            _ => Err(other(key, answer)),
        }
    }

    /// Runs the script of a commit, and waits for replicas where that is wanted: the script's answer,
    /// and how many have it.
    fn run_commit(&self, key: &str, commit: &Commit) -> Result<(Answer, Option<u32>), StoreError> {
        let mut keys = self.names.all(key).to_vec();
        let fence = commit.fence.as_ref();
        keys.extend(fence.map(|fence| self.names.lease(key, &fence.lease)));
        let channel = self.names.channel(key);
        let arguments = |command: &mut Cmd| {
            let (incarnation, number) = of_revision(commit.expect);
            command.arg(FORMAT).arg(incarnation).arg(number);
            command
                .arg(&commit.id.0.to_be_bytes()[..])
                .arg(commit.id.incarnation());
            command.arg(fence.map_or_else(String::new, |fence| fence.token.to_string()));
            command
                .arg(self.options.remembered_changes)
                .arg(REMEMBERED_COMMITS);
            command.arg(self.idle_ms()).arg(&channel);
            let written = commit
                .parts
                .iter()
                .filter_map(|(name, bytes)| Some((name, bytes.as_ref()?)));
            command.arg(written.clone().count());
            for (name, bytes) in written {
                command.arg(name.to_string()).arg(&bytes[..]);
            }
            for (name, _) in commit.parts.iter().filter(|(_, bytes)| bytes.is_none()) {
                command.arg(name.to_string());
            }
        };
        self.pool.run(Some(key), |connection, _| {
            let answer = self
                .scripts
                .commit
                .run(connection.as_dyn(), &keys, &arguments)?;
            let wait = self.options.wait.filter(|_| answer.word == "done");
            let have = wait
                .map(|wait| wait_for(connection, &keys[0], wait))
                .transpose()?;
            Ok((answer, have))
        })
    }
}

/// Waits until replicas have what this connection wrote; answers how many do.
fn wait_for(connection: &mut Connection, key: &str, wait: WaitFor) -> RedisResult<u32> {
    let ms = u64::try_from(wait.timeout.as_millis()).unwrap_or(LONGEST_MS);
    // 0 would be for ever.
    let command = redis::cmd("WAIT")
        .arg(wait.replicas)
        .arg(ms.max(1))
        .to_owned();
    connection.query_at(key, &command)
}
