//! The same list, kept by `resourcecache`.

use resourcecache::json::Schema;
use resourcecache::{Badge, Config, Icon, JsonCache, Labels, Progress, Timestamp, VersionOrder};

use crate::api::Error;
use crate::screen::Shown;

/// The demo's schema: ids, uids, versions and tokens as the lagging server writes them.
pub(crate) fn schema() -> Result<Schema, Error> {
    Ok(Schema {
        uid: Some("/uid".parse()?),
        version: Some("/version".parse()?),
        token: Some("/token".parse()?),
        items: "/items".parse()?,
        ..Schema::default()
    })
}

/// An empty collection; with the TTL broken, it guards nothing.
pub(crate) fn cache(break_ttl: bool) -> JsonCache {
    let mut config = Config::default();
    config.version_order = VersionOrder::Integer;
    if break_ttl {
        config.ttl_ms = 0;
    }
    JsonCache::new(config)
}

/// What is on screen: the visible rows, with their badges.
pub(crate) fn screen(cache: &JsonCache) -> Result<Vec<Shown>, Error> {
    let labels = Labels::default();
    let mut rows = Vec::new();
    for item in cache.visible() {
        let badge = Badge::of(&item, &labels).map(|badge| badge_text(&badge));
        let bar = Progress::of(&item).map(|progress| bar_text(&progress));
        let text: Vec<String> = badge.into_iter().chain(bar).collect();
        rows.push(Shown {
            body: serde_json::from_str(item.body().body())?,
            badge: (!text.is_empty()).then(|| text.join(" ")),
        });
    }
    Ok(rows)
}

fn badge_text(badge: &Badge) -> String {
    let icon = match badge.icon {
        Icon::Spinner => "◌",
        Icon::Check => "✓",
        Icon::Cross => "✗",
    };
    let retry = badge.retry.map(|(n, of)| format!(" ({n}/{of})"));
    format!("{icon} {}{}", badge.label, retry.unwrap_or_default())
}

fn bar_text(progress: &Progress) -> String {
    const WIDTH: usize = 10;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
    let full = (progress.percent / 100.0 * WIDTH as f64).round() as usize;
    let (full, rest) = ("█".repeat(full), "░".repeat(WIDTH - full.min(WIDTH)));
    format!("{full}{rest} {} %", progress.percent)
}

/// The server's time as the cache takes it.
pub(crate) fn time(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}
