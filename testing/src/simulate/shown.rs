//! The list as a user sees it, and as a reader has it who only follows the changes.

use resourcecache::{Changes, Item, Metadata, Resource, ResourceCache, RowKey, State};

/// One row as a user sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown<R> {
    pub(crate) key: RowKey,
    pub(crate) id: String,
    pub(crate) body: R,
    pub(crate) state: State,
    pub(crate) meta: Option<Metadata>,
}

impl<R: Resource> Shown<R> {
    fn of(item: &Item<'_, R>) -> Self {
        Self {
            key: item.key(),
            id: item.id().to_string(),
            body: item.body().clone(),
            state: item.state(),
            meta: item.meta(),
        }
    }

    /// The whole list.
    pub(crate) fn list(cache: &ResourceCache<R>) -> Vec<Self> {
        cache.visible().map(|item| Self::of(&item)).collect()
    }
}

/// The old list with the changes applied, as their documentation says.
pub(crate) fn follow<R: Resource>(
    list: &mut Vec<Shown<R>>,
    changes: &Changes,
    cache: &ResourceCache<R>,
) -> Result<(), String> {
    let leaves = |key: RowKey| {
        changes.removed.iter().any(|r| r.key == key)
            || changes.upserted.iter().any(|u| u.key == key)
    };
    list.retain(|row| !leaves(row.key));
    for upsert in &changes.upserted {
        let at = match upsert.after {
            None => 0,
            Some(after) => {
                let place = list.iter().position(|row| row.key == after);
                place.ok_or_else(|| format!("a row is put behind {after:?}, which is not there"))?
                    + 1
            }
        };
        let item = cache.row(upsert.key);
        let item = item.ok_or_else(|| format!("{:?} is put in, and is no row", upsert.key))?;
        list.insert(at, Shown::of(&item));
    }
    Ok(())
}
