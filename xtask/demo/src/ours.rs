//! The same list, kept by `resourcecache`.

use resourcecache::json::Schema;
use resourcecache::{
    Badge, Config, Icon, JsonCache, Kind, Labels, Progress, ProgressPlan, Stage, Timestamp,
    VersionOrder,
};

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

/// How a collection of these behaves; with the TTL broken, it guards nothing.
pub(crate) fn config(kind: &str, break_ttl: bool) -> Config {
    let mut config = Config::default();
    if kind == "domains" {
        config.progress.insert(Kind::Create, registration());
    }
    config.version_order = VersionOrder::Integer;
    if break_ttl {
        config.ttl_ms = 0;
    }
    config
}

/// How a registration goes on, and by which of the server's words.
fn registration() -> ProgressPlan {
    ProgressPlan::new([
        Stage::new("initializing")
            .message("Starting registration...")
            .expected_ms(3_000),
        Stage::new("registering")
            .message("Registering with registrar...")
            .expected_ms(3_000),
        Stage::new("activating")
            .message("Activating...")
            .expected_ms(3_000),
        Stage::new("complete")
            .message("Registration complete!")
            .completes(),
        Stage::new("failed").fails(None),
    ])
    .rule(
        "/status",
        [
            ("pending", "initializing"),
            ("registering", "registering"),
            ("activating", "activating"),
            ("registered", "complete"),
            ("failed", "failed"),
        ],
    )
    .stalled_after_ms(30_000)
}

/// What is on screen: the visible rows, with their badges.
pub(crate) fn screen(cache: &JsonCache, now: Timestamp) -> Result<Vec<Shown>, Error> {
    let labels = Labels::default();
    let mut rows = Vec::new();
    for item in cache.visible() {
        let progress = Progress::of(&item);
        let badge = Badge::of(&item, &labels).map(|badge| badge_text(&badge, progress.as_ref()));
        let bar = progress.map(|progress| bar_text(&progress, now));
        let text: Vec<String> = badge.into_iter().chain(bar).collect();
        rows.push(Shown {
            body: serde_json::from_str(item.body().body())?,
            badge: (!text.is_empty()).then(|| text.join(" ")),
        });
    }
    Ok(rows)
}

/// The badge; where there is a bar, with the bar's words.
fn badge_text(badge: &Badge, progress: Option<&Progress>) -> String {
    let icon = match badge.icon {
        Icon::Spinner => "◌",
        Icon::Check => "✓",
        Icon::Cross => "✗",
    };
    let retry = badge.retry.map(|(n, of)| format!(" ({n}/{of})"));
    let label = progress.map_or(&badge.label, |progress| &progress.label);
    format!("{icon} {label}{}", retry.unwrap_or_default())
}

fn bar_text(progress: &Progress, now: Timestamp) -> String {
    const WIDTH: usize = 10;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
    let full = (progress.percent / 100.0 * WIDTH as f64).round() as usize;
    let (full, rest) = ("█".repeat(full), "░".repeat(WIDTH - full.min(WIDTH)));
    let left = progress.left_ms(now).map(|ms| ms.div_ceil(1_000));
    let left = left.map(|seconds| format!(", {seconds} s left"));
    let (percent, left) = (progress.percent, left.unwrap_or_default());
    format!("{full}{rest} {percent} %{left}")
}

/// The server's time as the cache takes it.
pub(crate) fn time(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}
