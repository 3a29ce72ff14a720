//! Live: the server pushes what others do, by WebSocket and as server-sent events, while its lists
//! go on lagging. The naive client takes the pushes as they come, and lists again as it did before.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{
    Backoff, CallId, Config, JsonCache, OperationId, VersionOrder, WatchCall, WatchConfig,
    WatchSession,
};
use resourcecache_judge::{Judge, Naive};
use resourcecache_lagging_server::Server;
use resourcecache_watch::{
    Adapter, Driver, Handle, Incoming, Sse, Update, VersionIn, View, WebSocket,
};
use serde_json::{Value, json};

use crate::api::{Api, Error};
use crate::scenarios::Counted;
use crate::screen::{Screen, Shown};

/// How a screen's rows look beside each other.
const TICK: Duration = Duration::from_millis(30);

/// What was seen of one kind of push.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) counted: Counted,
    /// Microseconds from the server's change to our view, sorted.
    pub(crate) waits_us: Vec<u64>,
    /// Streams that were opened.
    pub(crate) streams: u64,
}

/// By what the server pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    WebSocket,
    Sse,
}

/// Both kinds of push, in turn.
pub(crate) fn live(rounds: usize, break_ttl: bool, screen: Screen) -> Result<[Seen; 2], Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let _inside = runtime.enter();
    screen.title("Live by WebSocket: pushes are prompt, lists lag")?;
    let socket = Live::start(Push::WebSocket, break_ttl, screen)?.play(rounds)?;
    screen.title("Live by server-sent events: pushes are prompt, lists lag")?;
    let events = Live::start(Push::Sse, break_ttl, screen)?.play(rounds)?;
    Ok([socket, events])
}

/// The server, two clients of it, and another user who works on it.
struct Live {
    api: Api,
    schema: Schema,
    screen: Screen,
    handle: Handle<JsonResource>,
    updates: Receiver<(u64, Update<JsonResource>)>,
    pushes: Receiver<Value>,
    view: View<JsonResource>,
    naive: Naive,
    naive_judge: Judge,
    our_judge: Judge,
    /// When our view first showed a version of an object, in microseconds since 1970.
    seen: BTreeMap<(String, u64), u64>,
    start: Instant,
    _server: Server,
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

fn other(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}

fn adapter(push: Push, url: &str) -> Result<Box<dyn Adapter>, Error> {
    let list = format!("{url}/v1/zones");
    Ok(match push {
        Push::WebSocket => {
            let socket = format!("{}/push/zones/socket", url.replace("http", "ws"));
            let feed = WebSocket::new(&list, &socket).map_err(other)?;
            // Its lists lag, whatever one asks: the stream tells what they lack.
            Box::new(feed.resuming("after").listing(|_| Vec::new()))
        }
        Push::Sse => {
            let events = format!("{url}/push/zones/events");
            let feed = Sse::new(&list, &events).map_err(other)?;
            let feed = feed.resuming(VersionIn::LastEventId);
            Box::new(feed.listing(|_| Vec::new()))
        }
    })
}

/// How the server's messages are read.
fn reader() -> Result<(Schema, Feed), Error> {
    let mut schema = crate::ours::schema()?;
    schema.list_version = Some("/version".parse()?);
    let feed = json!({
        "word": "/type", "resource": "/object", "version": "/version", "sequence": "/seq",
        "words": {
            "added": ["created"], "modified": ["updated", "accepted", "failed"],
            "deleted": ["deleted"],
        },
    });
    Ok((schema, serde_json::from_value(feed)?))
}

impl Live {
    fn start(push: Push, break_ttl: bool, screen: Screen) -> Result<Self, Error> {
        let server = Server::start()?;
        let api = Api::new(server.url());
        let zone = |n: usize| json!({"id": format!("z{n}"), "name": format!("z{n}"), "ttl": 300});
        let zones: Vec<Value> = (1..=8).map(zone).collect();
        api.control("seed", &json!({ "zones": zones }))?;
        api.control(
            "lag",
            &json!({"replicas": [1_000, 2_500, 1_700], "delete_ms": 100}),
        )?;
        let mut config = Config::default();
        config.version_order = VersionOrder::Integer;
        if break_ttl {
            config.ttl_ms = 0;
        }
        let mut watching = WatchConfig::kubernetes();
        watching.limit = None;
        watching.backoff = Backoff::Exponential {
            base_ms: 50,
            cap_ms: 1_000,
        };
        let session = WatchSession::new(watching, 1);
        let (schema, feed) = reader()?;
        let (mut driver, handle, updates) = Driver::new(
            JsonCache::new(config),
            session,
            adapter(push, &server.url())?,
            (schema.clone(), feed),
        );
        tokio::spawn(async move { driver.run().await });
        let pushes = naive_pushes(adapter(push, &server.url())?);
        let mut live = Self {
            api,
            schema,
            screen,
            handle,
            updates: with_times(updates),
            pushes,
            view: View::default(),
            naive: Naive::default(),
            naive_judge: Judge::default(),
            our_judge: Judge::default(),
            seen: BTreeMap::new(),
            start: Instant::now(),
            _server: server,
        };
        live.naive_lists()?;
        while !live.handle.health().synced || live.view.rows().is_empty() {
            if live.start.elapsed() > Duration::from_secs(20) {
                return Err(other(format!("no stream: {:?}", live.handle.health())));
            }
            live.take_updates()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(live)
    }

    /// Others change, create and delete; so does our user; and connections are cut.
    fn play(mut self, rounds: usize) -> Result<Seen, Error> {
        for round in 0..rounds {
            self.others_act(round)?;
            self.pass()?;
            if round % 6 == 2 {
                self.our_user_acts(round)?;
            }
            if round % 8 == 5 {
                self.naive_lists()?;
            }
            if round % 25 == 20 {
                self.api.control("cut", &json!({}))?;
            }
        }
        // What is under way is shown, and the last lists come.
        for _ in 0..20 {
            self.pass()?;
        }
        self.naive_lists()?;
        self.all_is_shown()?;
        let streams = self.handle.health().streams;
        Ok(Seen {
            counted: (self.naive_judge.flickers, self.our_judge.flickers),
            waits_us: self.waits()?,
            streams,
        })
    }

    fn others_act(&self, round: usize) -> Result<(), Error> {
        let id = format!("z{}", round % 4 + 1);
        let path = format!("/v1/zones/{id}");
        self.api
            .json("PATCH", &path, Some(&json!({"ttl": 1_000 + round})))?;
        if round % 5 == 1 {
            let id = format!("o{round}");
            let new = json!({"id": id, "name": id, "ttl": 300});
            self.api.json("POST", "/v1/zones", Some(&new))?;
        }
        if round % 10 == 9 {
            let path = format!("/v1/zones/o{}", round - 3);
            self.api.json("DELETE", &path, None)?;
        }
        Ok(())
    }

    /// An edit of a zone that nobody else changes, or the deletion of one.
    fn our_user_acts(&mut self, round: usize) -> Result<(), Error> {
        let id = format!("z{}", 5 + round / 6 % 3);
        let ttl = 5_000 + round;
        self.naive.set(&id, "ttl", json!(ttl));
        let body = json!({ "ttl": ttl });
        let patch = self.schema.merge_patch(body.to_string().as_bytes())?;
        let edited = id.clone();
        let edit = self.handle.with(move |zones, now| {
            let begun = zones.mark_as_updating(edited, patch, now)?;
            Ok::<_, resourcecache::Error>(begun.operation())
        });
        let operation: Option<OperationId> = wait(edit)??;
        self.pass()?;
        let (_, answer) = self
            .api
            .json("PATCH", &format!("/v1/zones/{id}"), Some(&body))?;
        self.naive.replace(&id, answer.clone());
        let answer = self.schema.resource(answer.to_string().as_bytes())?;
        if let Some(operation) = operation {
            let done = self
                .handle
                .with(move |zones, now| zones.acknowledge(operation, Some(answer), now));
            wait(done)??;
        }
        self.pass()
    }

    /// The naive client lists again, from whatever replica answers.
    fn naive_lists(&mut self) -> Result<(), Error> {
        let (_, list) = self.api.json("GET", "/v1/zones", None)?;
        let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
        self.naive.refresh(items);
        self.show("the naive client lists again")
    }

    /// A moment passes: both clients show what was pushed.
    fn pass(&mut self) -> Result<(), Error> {
        std::thread::sleep(TICK.max(Duration::from_millis(self.screen.pause_ms / 2)));
        while let Ok(push) = self.pushes.try_recv() {
            let object = push["object"].clone();
            let id = object["id"].as_str().unwrap_or_default();
            match push["type"].as_str() {
                Some("deleted") => self.naive.delete(&[id]),
                _ => self.naive.put_back(object),
            }
        }
        self.take_updates()?;
        self.show("what was pushed")
    }

    /// Takes what our driver tells; each update is a screen of its own.
    fn take_updates(&mut self) -> Result<(), Error> {
        while let Ok((at, update)) = self.updates.try_recv() {
            for row in &update.rows {
                let body: Value = serde_json::from_str(row.body.body())?;
                let version = body["version"].as_u64().unwrap_or_default();
                self.seen.entry((row.id.to_string(), version)).or_insert(at);
            }
            self.view.apply(update);
            let (_, ledger) = self.api.ledger()?;
            let rows = self.rows()?;
            self.our_judge.look(&rows, &ledger);
        }
        Ok(())
    }

    fn rows(&self) -> Result<Vec<Value>, Error> {
        let rows = self.view.rows().iter();
        let bodies = rows.map(|row| serde_json::from_str(row.body.body()));
        Ok(bodies.collect::<Result<_, _>>()?)
    }

    fn show(&mut self, what: &str) -> Result<(), Error> {
        let (_, ledger) = self.api.ledger()?;
        let ours = self.rows()?;
        let bad_left = self.naive_judge.look(self.naive.rows(), &ledger);
        let bad_right = self.our_judge.look(&ours, &ledger);
        let plain = |body: &Value| Shown {
            body: body.clone(),
            badge: None,
        };
        let left: Vec<Shown> = self.naive.rows().iter().map(plain).collect();
        let right: Vec<Shown> = ours.iter().map(plain).collect();
        let at = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if bad_left.is_empty() && bad_right.is_empty() {
            return Ok(()); // too many to show them all
        }
        self.screen
            .frame(at, what, (&left, &bad_left), (&right, &bad_right))
    }

    /// Our view is what the server has, in the end.
    fn all_is_shown(&mut self) -> Result<(), Error> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            self.pass()?;
            let (_, ledger) = self.api.ledger()?;
            let mut truth = BTreeMap::new();
            for fact in ledger {
                truth.insert(fact.id, fact.body);
            }
            truth.retain(|_, body| body.is_some());
            let ours = self.rows()?.into_iter();
            let id = |body: &Value| body["id"].as_str().unwrap_or_default().to_string();
            let ours: BTreeMap<_, _> = ours.map(|body| (id(&body), Some(body))).collect();
            if ours == truth {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(other("our view is not what the server has"));
            }
        }
    }

    /// From each change of the server's to our view of it.
    fn waits(&self) -> Result<Vec<u64>, Error> {
        let ledger = self.api.json("GET", "/control/ledger", None)?.1;
        let entries = ledger["entries"].as_array().into_iter().flatten();
        let written = ledger["written_us"].as_array().into_iter().flatten();
        let mut waits = Vec::new();
        for (entry, written) in entries.zip(written) {
            let id = entry["id"].as_str().unwrap_or_default().to_string();
            let version = entry["body"]["version"].as_u64().unwrap_or_default();
            let pushed = entry["at_ms"].as_u64() > Some(0); // not one of the seeds
            if let (Some(at), Some(written), true) =
                (self.seen.get(&(id, version)), written.as_u64(), pushed)
            {
                waits.push(at.saturating_sub(written));
            }
        }
        waits.sort_unstable();
        Ok(waits)
    }
}

/// Waits for an answer of the driver's, which runs on threads of its own.
fn wait<T>(
    answer: impl Future<Output = Result<T, resourcecache_watch::Ended>>,
) -> Result<T, Error> {
    tokio::runtime::Handle::current()
        .block_on(answer)
        .map_err(other)
}

/// Notes when each update came.
fn with_times(
    mut updates: tokio::sync::mpsc::Receiver<Update<JsonResource>>,
) -> Receiver<(u64, Update<JsonResource>)> {
    let (sender, receiver) = mpsc::channel();
    tokio::spawn(async move {
        while let Some(update) = updates.recv().await {
            if sender.send((now_us(), update)).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What the naive client hears: every message, from a connection that is opened anew when it ends.
fn naive_pushes(adapter: Box<dyn Adapter>) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    tokio::spawn(async move {
        let now = WatchCall {
            call: CallId::default(),
            version: None,
            sequence: None,
            bookmarks: false,
            initial_events: false,
        };
        loop {
            if let Ok(mut stream) = adapter.watch(&now).await {
                while let Some(Ok(incoming)) = stream.next().await {
                    let Incoming::Message(bytes) = incoming else {
                        continue;
                    };
                    let message = serde_json::from_slice(&bytes).unwrap_or_default();
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    receiver
}
