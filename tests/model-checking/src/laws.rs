//! What must hold in every state, and what must happen in some, lest the laws hold for nothing.

use resourcecache::Settlement;
use resourcecache_testing::FIELD_COUNT;
use stateright::Property;

use crate::client::Client;
use crate::model::Exploration;
use crate::server::{self, Answer};
use crate::state::{Asked, State};
use crate::world::{Ask, NEW, STALE_MS, TEMPORARY, TTL_MS};

pub(crate) fn laws() -> Vec<Property<Exploration>> {
    let mut all = vec![
        Property::always("a deleted resource stays hidden while guarded", |e, s| {
            each(e, s, |one| is_hidden(one, s))
        }),
        Property::always("a new resource has one row while guarded", created_is_there),
        Property::always("an edit shows while guarded", |e, s| {
            each(e, s, |one| {
                edit_shows(one, s) || is_deleted(e, s, one) || is_followed(e, s, one)
            })
        }),
        Property::always("no id is there twice", no_id_twice),
        Property::always("an operation settles at most once", |e, s| {
            each(e, s, |one| one.outcomes().count() <= 1)
        }),
        Property::always("what is confirmed was done", |e, s| {
            each(e, s, |one| was_done(e, s, one) || may_be_unknown(one))
        }),
        Property::always("nothing is given up before its time", |e, s| {
            each(e, s, in_time)
        }),
        Property::always(
            "in the end all is settled and shows as the server has it",
            end,
        ),
    ];
    all.extend(examples());
    all
}

/// What must happen somewhere, lest the laws hold for nothing.
fn examples() -> Vec<Property<Exploration>> {
    vec![
        Property::sometimes("confirmed", |e, s| {
            any(e, s, |one| ends(one, Settlement::Confirmed))
        }),
        Property::sometimes("not confirmed", |e, s| {
            any(e, s, |one| ends(one, Settlement::NotConfirmed))
        }),
        Property::sometimes("stale", |e, s| {
            any(e, s, |one| ends(one, Settlement::Stale))
        }),
        Property::sometimes("failed", |e, s| {
            any(e, s, |one| ends(one, Settlement::Failed))
        }),
        Property::sometimes("answered late", |e, s| any(e, s, |one| one.asked.late)),
        Property::sometimes("the end", |_, s: &State| s.is_told != [false; 2]),
        Property::sometimes("open: an edit of a creation ends with it", |e, s| {
            any(e, s, |one| !edit_shows(one, s) && is_followed(e, s, one))
        }),
        Property::sometimes(
            "open: a deletion is confirmed by who does not know yet",
            |e, s| any(e, s, |one| !was_done(e, s, one) && may_be_unknown(one)),
        ),
    ]
}

/// An operation that has begun.
struct Begun<'a> {
    number: usize,
    owner: usize,
    client: &'a Client,
    ask: Ask,
    asked: &'a Asked,
}

impl Begun<'_> {
    /// Until when it guards: counted from the mark or the acknowledgement. The server's refusal
    /// ends it, and an answer that comes when it is over begins nothing.
    fn guard_end(&self) -> i64 {
        let asked = self.asked;
        match asked.heard {
            Some(_) if asked.said == Some(Answer::Refused) => i64::MIN,
            Some(at) if !asked.late => at + TTL_MS,
            _ => asked.begun + TTL_MS,
        }
    }

    fn is_guarded(&self, state: &State) -> bool {
        state.now().0 < self.guard_end()
    }

    /// What its client shows of its resource: by the temporary id, or by the real one.
    fn rows(&self) -> impl Iterator<Item = [i64; FIELD_COUNT]> {
        let ids = [self.ask.id(), self.ask.real_id()];
        let rows = self.client.shown().filter(move |(id, _)| ids.contains(id));
        rows.map(|(_, fields)| fields)
    }

    fn outcomes(&self) -> impl Iterator<Item = (Settlement, i64)> {
        self.client.outcomes(self.number)
    }
}

fn begun<'a>(
    exploration: &'a Exploration,
    state: &'a State,
) -> impl Iterator<Item = Begun<'a>> + 'a {
    let all = exploration.world.asks.iter().zip(&state.asked).enumerate();
    all.filter_map(|(number, ((owner, ask), asked))| {
        Some(Begun {
            number,
            owner: *owner,
            client: &state.clients[*owner],
            ask: *ask,
            asked: asked.as_ref()?,
        })
    })
}

fn each(e: &Exploration, s: &State, law: impl Fn(&Begun<'_>) -> bool) -> bool {
    begun(e, s).all(|one| law(&one))
}

fn any(e: &Exploration, s: &State, what: impl Fn(&Begun<'_>) -> bool) -> bool {
    begun(e, s).any(|one| what(&one))
}

fn ends(one: &Begun<'_>, how: Settlement) -> bool {
    one.outcomes().any(|(settlement, _)| settlement == how)
}

fn is_hidden(one: &Begun<'_>, state: &State) -> bool {
    let deletes = matches!(one.ask, Ask::Delete { .. });
    !deletes || !one.is_guarded(state) || one.rows().count() == 0
}

fn created_is_there(exploration: &Exploration, state: &State) -> bool {
    let deletes = |owner: usize| {
        any(exploration, state, |one| {
            one.owner == owner && one.ask == Ask::Delete { id: TEMPORARY }
        })
    };
    each(exploration, state, |one| {
        let creates = one.ask == Ask::Create && !deletes(one.owner);
        !creates || !one.is_guarded(state) || one.rows().count() == 1
    })
}

fn edit_shows(one: &Begun<'_>, state: &State) -> bool {
    let Ask::Update { field, value, .. } = one.ask else {
        return true;
    };
    !one.is_guarded(state) || one.rows().all(|fields| fields[field] == value)
}

/// The client's own deletion of the resource was confirmed: older edits have ended with it (L11).
fn is_deleted(exploration: &Exploration, state: &State, one: &Begun<'_>) -> bool {
    any(exploration, state, |other| {
        let deletes = matches!(other.ask, Ask::Delete { .. }) && other.owner == one.owner;
        deletes && other.ask.real_id() == one.ask.real_id() && ends(other, Settlement::Confirmed)
    })
}

fn no_id_twice(_: &Exploration, state: &State) -> bool {
    state.clients.iter().all(|client| {
        let ids = || client.shown().map(|(id, _)| id);
        ids().all(|id| ids().filter(|other| *other == id).count() == 1)
    })
}

/// An update or a creation that is confirmed was done; after a deletion that is, the resource is
/// gone, whoever did it.
fn was_done(exploration: &Exploration, state: &State, one: &Begun<'_>) -> bool {
    let list = || server::list(&exploration.world, &state.done);
    !ends(one, Settlement::Confirmed)
        || match one.ask {
            Ask::Delete { .. } => list().iter().all(|toy| toy.id != one.ask.real_id()),
            _ => one.asked.said == Some(Answer::Done),
        }
}

fn in_time(one: &Begun<'_>) -> bool {
    one.outcomes().all(|(settlement, at)| match settlement {
        Settlement::NotConfirmed => at >= one.asked.begun + TTL_MS,
        Settlement::Stale => at >= one.asked.begun + STALE_MS,
        _ => true,
    })
}

fn end(exploration: &Exploration, state: &State) -> bool {
    if state.is_told == [false; 2] {
        return true;
    }
    let list = server::list(&exploration.world, &state.done);
    (0..2).filter(|client| state.is_told[*client]).all(|owner| {
        let client = &state.clients[owner];
        let rows = list.iter().map(|toy| (toy.id.as_str(), toy.fields));
        let told = |one: &Begun<'_>| one.owner != owner || one.outcomes().count() == 1;
        client.shown().eq(rows) && client.is_settled() && each(exploration, state, told)
    })
}

/// Open: the client's own creation of the resource was not confirmed in time. What it asked for
/// since ends with that, though the server may have accepted it.
fn is_followed(exploration: &Exploration, state: &State, one: &Begun<'_>) -> bool {
    any(exploration, state, |creation| {
        creation.ask == Ask::Create
            && creation.owner == one.owner
            && one.ask.real_id() == NEW
            && ends(creation, Settlement::NotConfirmed)
    })
}

/// Open: a list that does not know the resource yet is taken for one that has it deleted.
fn may_be_unknown(one: &Begun<'_>) -> bool {
    one.ask == Ask::Delete { id: TEMPORARY }
}
