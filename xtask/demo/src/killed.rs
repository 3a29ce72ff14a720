//! A bulk deletion in a program that is killed in the middle of it, and started again: the program's
//! side, and that of who starts it, kills it and judges what it shows.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use resourcecache_lagging_server::Server;
use resourcecache_storage::StoredCache;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Api, Error};
use crate::audience::{Judges, Told, tell};
use crate::ours;
use crate::scenarios::{Counted, SELECTED, came_of, delete, go_on, settled, zones};
use crate::screen::Screen;
use crate::stage::Stage;
use crate::storage::Storage;

/// The collection's name in the store.
const SCENARIO: &str = "killed";
/// Killed when the server has answered so many attempts.
const ANSWERED: usize = 3;
/// For how long the program is away.
const AWAY_MS: u64 = 2_000;
/// An attempt that nobody has answered counts as lost after this.
const LOST_AFTER_MS: u64 = 5_000;

/// What a program is started with.
#[derive(Debug, Serialize, Deserialize)]
struct Program {
    url: String,
    store: String,
    run: String,
    /// Whether it ran before: then what the user wants is in the store.
    again: bool,
    break_ttl: bool,
    pause_ms: u64,
}

/// What came of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// How many deletions were confirmed.
    pub deleted: usize,
    /// How many failed.
    pub failed: usize,
}

/// Starts the program, kills it in mid-send, starts it again, and judges what both clients in it show.
pub(crate) fn killed(
    storage: &Storage,
    program: &Path,
    break_ttl: bool,
    screen: Screen,
) -> Result<(Counted, Settled), Error> {
    screen.title(
        "4. Five zones are deleted; the program is killed in the middle, and started again",
    )?;
    let server = Server::start()?;
    let api = Api::new(server.url());
    let start = zones().set_up(&api, "zones")?;
    let mut judges = Judges::new(screen, start);
    let mut arguments = Program {
        again: false,
        url: server.url(),
        store: storage.address.clone(),
        run: storage.run().into(),
        break_ttl,
        pause_ms: screen.pause_ms,
    };
    let mut first = Running::start(program, &arguments)?;
    let mut answered = 0;
    while answered < ANSWERED {
        match first.next()? {
            Told::Sent(_) => answered += 1,
            Told::Done { .. } => return Err(Error::Other("it ended before it was killed".into())),
            told => judges.take(&api, &told)?,
        }
        if answered < ANSWERED {
            first.go_on()?;
        }
    }
    first.kill()?;
    screen
        .say("Killed (SIGKILL): the server has the third deletion, the program not its answer.")?;
    api.control("advance", &json!({ "ms": AWAY_MS }))?;
    arguments.again = true;
    let mut second = Running::start(program, &arguments)?;
    loop {
        match second.next()? {
            Told::Done { deleted, failed } => {
                screen.say(&came_of(deleted, failed))?;
                storage.forget(SCENARIO)?;
                return Ok((judges.flickers(), Settled { deleted, failed }));
            }
            told => judges.take(&api, &told)?,
        }
        second.go_on()?;
    }
}

impl Judges {
    fn take(&mut self, api: &Api, told: &Told) -> Result<(), Error> {
        match told {
            Told::Shown(frame) => self.look(api, frame),
            Told::Deletes(ids) => {
                self.user_deletes(&ids.iter().map(String::as_str).collect::<Vec<_>>());
                Ok(())
            }
            Told::Says(text) => self.screen.say(text),
            Told::Sent(_) | Told::Done { .. } => Ok(()),
        }
    }
}

/// The program, as it was told to run by the demo that started it.
///
/// # Errors
///
/// As [`run`](crate::run); and when the demo has ended.
pub fn program(arguments: &str) -> Result<(), Error> {
    let program: Program = serde_json::from_str(arguments)?;
    let storage = Storage::of_run(&program.store, program.run)?;
    let (now, _) = Api::new(program.url.as_str()).ledger()?;
    let mut config = ours::config("zones", program.break_ttl);
    config.retry.attempt_timeout_ms = LOST_AFTER_MS;
    let store = storage.store.clone();
    let cache = StoredCache::open(store, storage.key(SCENARIO), config, ours::time(now))?;
    let mut stage = Stage::join("zones", &program.url, cache, now, program.pause_ms)?;
    if program.again {
        tell(&Told::Says(restored(&stage, &storage)))?;
        stage.show("started again")?;
        stage.refresh()?;
    } else {
        stage.refresh()?;
        delete(&mut stage, &SELECTED)?;
    }
    go_on(&mut stage, 14)?;
    let (deleted, failed) = settled(&stage);
    tell(&Told::Done { deleted, failed })
}

/// What the store has, and what goes on.
fn restored(stage: &Stage, storage: &Storage) -> String {
    let cache = stage.cache.cache();
    let operations = cache.all().flat_map(|item| cache.operations(item.id()));
    let attempts = operations.filter_map(|operation| cache.attempt_of(operation.id));
    let sent: Vec<String> = attempts.map(|attempt| attempt.id.to_string()).collect();
    let waiting = cache.queued() - sent.len();
    let (_, failed) = settled(stage);
    format!(
        "Restored from {}: {} zones. Deletions: {} under way ({}), {waiting} waiting, {failed} failed.",
        storage.shown(),
        cache.all().count(),
        sent.len(),
        sent.join(", "),
    )
}

/// A program that is killed when this is dropped.
struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(program: &Path, arguments: &Program) -> Result<Self, Error> {
        let mut child = Command::new(program)
            .args(["--program", &serde_json::to_string(arguments)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Other("the program has no pipes".into()));
        };
        let lines = BufReader::new(stdout).lines();
        Ok(Self {
            child,
            stdin,
            lines,
        })
    }

    /// What it tells next; it waits then.
    fn next(&mut self) -> Result<Told, Error> {
        let line = self.lines.next().transpose()?;
        let line = line.ok_or_else(|| Error::Other("the program has ended".into()))?;
        Ok(serde_json::from_str(&line)?)
    }

    fn go_on(&mut self) -> Result<(), Error> {
        Ok(writeln!(self.stdin)?)
    }

    fn kill(&mut self) -> Result<(), Error> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
