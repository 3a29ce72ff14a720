//! A list that was taken apart before, as a source.

use std::collections::VecDeque;

use crate::error::Error;
use crate::event::{BadItem, Snapshot};
use crate::resource::Resource;
use crate::source::{Held, Next, Source};

pub(crate) struct Items<R> {
    items: Vec<Option<R>>,
    at: usize,
    /// Those that are bad, and where they stood among the good ones.
    bad: VecDeque<BadItem>,
    position: usize,
    list_version: Option<String>,
}

impl<R: Resource> Items<R> {
    pub(crate) fn of(snapshot: Snapshot<R>) -> Self {
        let mut bad = snapshot.bad;
        bad.sort_by_key(|b| b.position);
        Self {
            items: snapshot.items.into_iter().map(Some).collect(),
            at: 0,
            bad: bad.into(),
            position: 0,
            list_version: snapshot.list_version,
        }
    }

    fn item(&self, item: usize) -> Option<&R> {
        self.items.get(item).and_then(Option::as_ref)
    }
}

impl<R: Resource> Source<R> for Items<R> {
    fn next(&mut self, held: &Held<'_, R>) -> Result<Next, Error> {
        let here = |b: &BadItem| b.position <= self.position;
        let over = self.at >= self.items.len();
        if self.bad.front().is_some_and(|b| over || here(b)) {
            self.position += 1;
            let problem = self.bad.pop_front().map(|b| b.problem);
            return Ok(Next::Bad(problem.unwrap_or_default()));
        }
        if over {
            return Ok(Next::End);
        }
        let until = self.bad.front().map_or(usize::MAX, |b| b.position);
        let mut count = 0;
        while self.position + count < until {
            match (self.item(self.at + count), held.get(count)) {
                (Some(item), Some(held)) if item == held => count += 1,
                _ => break,
            }
        }
        if count > 0 {
            self.at += count;
            self.position += count;
            return Ok(Next::Same(count));
        }
        // As a response is read, so that both lead to the same.
        let second = held.get(1);
        if second.is_some() && self.item(self.at) == second {
            return Ok(Next::Skip);
        }
        self.at += 1;
        self.position += 1;
        Ok(Next::Item(self.at - 1))
    }

    fn id(&self, item: usize) -> &[u8] {
        self.item(item).map_or(&[], |item| item.id().as_bytes())
    }

    fn token(&self, item: usize) -> Option<&str> {
        self.item(item)?.token()
    }

    fn is(&mut self, item: usize, held: &R) -> bool {
        self.item(item) == Some(held)
    }

    fn finish(self) -> Result<(Option<String>, Vec<Option<R>>), Error> {
        Ok((self.list_version, self.items))
    }
}
