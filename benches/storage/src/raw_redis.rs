//! The same commands, pipelined by the plain client.

use redis::Connection;
use resourcecache_storage::Commit;

use crate::Outcome;

pub(crate) struct Raw {
    connection: Connection,
    /// What the collection's keys begin with.
    prefix: String,
}

impl Raw {
    pub(crate) fn open(url: &str, prefix: &str) -> Outcome<Self> {
        Ok(Self {
            connection: redis::Client::open(url)?.get_connection()?,
            prefix: prefix.into(),
        })
    }

    /// The parts, the log, the commit's id, the revision and the notice, in one round trip.
    pub(crate) fn write(&mut self, commit: &Commit) -> Outcome<()> {
        let of = |what: &str| format!("{}:{what}", self.prefix);
        let number = commit.expect.map_or(1, |at| at.number + 1);
        let mut pipe = redis::pipe();
        let mut names = String::new();
        let parts = pipe.cmd("HSET").arg(of("parts"));
        for (key, value) in &commit.parts {
            let name = key.to_string();
            names += &name;
            parts.arg(name).arg(value.as_deref().unwrap_or_default());
        }
        pipe.cmd("HSET").arg(of("log")).arg(number).arg(names);
        let (id, name) = (commit.id.0.to_be_bytes(), format!("n{number}"));
        pipe.cmd("HSET").arg(of("commits"));
        pipe.arg(&id[..]).arg(number).arg(name).arg(&id[..]);
        pipe.cmd("HSET").arg(of("info")).arg("number").arg(number);
        pipe.cmd("PUBLISH").arg(of("changed")).arg(number);
        Ok(pipe.query::<()>(&mut self.connection)?)
    }

    /// All parts into memory, in the same pieces.
    pub(crate) fn read(&mut self, n: usize) -> Outcome<()> {
        let hash = format!("{}:parts", self.prefix);
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(&hash).arg(cursor).arg("COUNT").arg(2_000);
            let (next, piece): (u64, Vec<(String, Vec<u8>)>) = scan.query(&mut self.connection)?;
            all.extend(piece);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        if all.len() < 2 * n {
            return Err("it is not all there".into());
        }
        Ok(())
    }
}
