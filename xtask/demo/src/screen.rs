//! Two columns in a terminal; plain lines where it is none.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Error;

/// Where frames go, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Nothing is drawn.
    pub quiet: bool,
    /// How long each frame stands.
    pub pause_ms: u64,
}

/// One row as it is on screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// The object's fields.
    pub(crate) body: Value,
    /// The badge and the bar beside it, as text.
    pub(crate) badge: Option<String>,
}

type Column<'a> = (&'a [Shown], &'a [(String, &'static str)]);

const WIDTH: usize = 44;
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const GREEN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

impl Screen {
    /// A scenario's title.
    pub(crate) fn title(self, text: &str) -> Result<(), Error> {
        if self.quiet {
            return Ok(());
        }
        let mut out = anstream::stdout().lock();
        writeln!(out, "\n{BOLD}{text}{BOLD:#}")?;
        writeln!(
            out,
            "{DIM}  {:WIDTH$}  resourcecache{DIM:#}",
            "a naive client"
        )?;
        Ok(())
    }

    /// A line of its own.
    pub(crate) fn say(self, text: &str) -> Result<(), Error> {
        if !self.quiet {
            writeln!(anstream::stdout().lock(), "  {GREEN}{text}{GREEN:#}")?;
        }
        Ok(())
    }

    /// Both lists as they stand.
    pub(crate) fn frame(
        self,
        at_ms: u64,
        what: &str,
        left: Column<'_>,
        right: Column<'_>,
    ) -> Result<(), Error> {
        if self.quiet {
            return Ok(());
        }
        let mut out = anstream::stdout().lock();
        let seconds = format!("{}.{} s", at_ms / 1000, at_ms % 1000 / 100);
        writeln!(out, "{DIM}  ── {seconds:>6}  {what}{DIM:#}")?;
        let (left, right) = (lines(left), lines(right));
        for index in 0..left.len().max(right.len()) {
            let cell = |lines: &[Line], width: usize| match lines.get(index) {
                None => " ".repeat(width),
                Some(line) => {
                    let style = if line.bad { RED } else { Style::new() };
                    format!("{style}{:width$}{style:#}", line.text)
                }
            };
            writeln!(out, "  {}  {}", cell(&left, WIDTH), cell(&right, 0))?;
        }
        Ok(())
    }
}

struct Line {
    text: String,
    bad: bool,
}

fn lines((rows, bad): Column<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let id = row.body["id"].as_str().unwrap_or_default();
        let token = row.body["token"].as_str().unwrap_or(id);
        let fields = ["name", "ttl", "status"]
            .iter()
            .filter_map(|f| match &row.body[*f] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(format!("{f} {other}")),
            });
        let mut text = fields.collect::<Vec<_>>().join("  ");
        if let Some(badge) = &row.badge {
            text = format!("{text}  [{badge}]");
        }
        let why = bad.iter().find(|(i, _)| i == id || i == token);
        if let Some((_, why)) = why {
            text = format!("{text}  ← {why}");
        }
        lines.push(Line {
            text,
            bad: why.is_some(),
        });
    }
    for (id, why) in bad.iter().filter(|(_, why)| *why == "vanished") {
        lines.push(Line {
            text: format!("({id})  ← {why}"),
            bad: true,
        });
    }
    lines
}
