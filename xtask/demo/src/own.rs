//! An API of the user's own: read-only.

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache};

use crate::api::{Api, Error};
use crate::ours;

/// Lists, marks one row as being deleted locally, lists and merges again, and shows both.
pub fn run(url: &str, schema: &Schema) -> Result<(), Error> {
    let api = Api::new(url);
    let mut cache = JsonCache::new(Config::default());
    list(&api, schema, &mut cache, 0)?;
    println!("{} resources at {url}", cache.visible().count());
    print(&cache);
    let Some(id) = cache.visible().next().map(|item| item.id().to_string()) else {
        println!("nothing to mark");
        return Ok(());
    };
    cache.mark_as_deleting(id.as_str(), None, ours::time(0))?;
    list(&api, schema, &mut cache, 1000)?;
    println!("\n{id} marked as being deleted here (the API is only read), and listed again:");
    print(&cache);
    println!("\n{}", cache.explain(&id));
    Ok(())
}

fn list(api: &Api, schema: &Schema, cache: &mut JsonCache, at: u64) -> Result<(), Error> {
    let (token, _) = cache.begin_fetch(ours::time(at));
    let (status, bytes) = api.call("GET", "", None)?;
    if status != 200 {
        return Err(Error::Other(format!("the API answered {status}")));
    }
    let snapshot = schema.snapshot(&bytes)?.with_token(token);
    cache.merge(snapshot, ours::time(at))?;
    Ok(())
}

fn print(cache: &JsonCache) {
    for item in cache.visible().take(20) {
        println!("  {}", item.id());
    }
    let more = cache.visible().count().saturating_sub(20);
    if more > 0 {
        println!("  and {more} more");
    }
}
