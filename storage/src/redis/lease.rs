//! Leases, by the servers' clock.

use crate::error::StoreError;
use crate::lease::{Fence, Leased};
use crate::redis::{LONGEST_MS, RedisStore, error, other};

/// For how long an expired lease is remembered. Tokens come from the clock, so that they grow after
/// that, too.
const LEASE_REMEMBERED_MS: u64 = 24 * 3600 * 1000;

impl RedisStore {
    pub(super) fn take_lease(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        let keys = [self.names.lease(key, lease)];
        let mut answer = self.ask(key, &self.scripts.acquire, &keys, &|command| {
            command
                .arg(holder)
                .arg(ttl_ms.min(LONGEST_MS))
                .arg(LEASE_REMEMBERED_MS);
        })?;
        let read = |error| error::told(Some(key), error);
        match answer.word.as_str() {
            "held" => Ok(Leased::Held(Fence {
                lease: lease.into(),
                token: answer.next().map_err(read)?,
            })),
            "taken" => Ok(Leased::Taken {
                holder: answer.next().map_err(read)?,
                for_ms: answer.next().map_err(read)?,
            }),
            _ => Err(other(key, answer)),
        }
    }

    pub(super) fn give_back(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
    ) -> Result<bool, StoreError> {
        let keys = [self.names.lease(key, lease)];
        let answer = self.ask(key, &self.scripts.release, &keys, &|command| {
            command.arg(holder);
        })?;
        Ok(answer.word == "done")
    }
}
