//! The stages of an operation, declared once for each kind, and the rules by which the server's
//! copies move it from one to the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::resource::Resource;

/// How an operation of one kind goes on, from stage to stage, and when it is done.
///
/// ```
/// use resourcecache::{Config, Kind, ProgressPlan, Stage};
/// let plan = ProgressPlan::new([
///     Stage::new("initializing").message("Starting registration...").expected_ms(1_000),
///     Stage::new("registering").message("Registering...").expected_ms(30_000).weight(2),
///     Stage::new("complete").message("Registration complete!").completes(),
/// ])
/// .rule("/status", [("pending", "registering"), ("registered", "complete")])
/// .stalled_after_ms(60_000);
/// assert!(plan.check().is_ok());
/// let mut config = Config::default();
/// config.progress.insert(Kind::Create, plan);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProgressPlan {
    /// The stages, in order. An operation begins in the first.
    pub stages: Vec<Stage>,
    /// What the server's copies say; the first rule that has their value counts.
    pub rules: Vec<ProgressRule>,
    /// After how many milliseconds without news it is marked as stalled; `None` never.
    pub stalled_after_ms: Option<u64>,
}

/// One stage of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name, as metadata has it.
    pub name: String,
    /// Its share of the whole, beside those of the other stages. Default 1; 0 for one that ends.
    #[serde(default = "one")]
    pub weight: u32,
    /// How long it takes, in milliseconds; `None` when nobody knows.
    #[serde(default)]
    pub expected_ms: Option<u64>,
    /// What to tell the user when it begins.
    #[serde(default)]
    pub message: Option<String>,
    /// What it ends.
    #[serde(default)]
    pub end: Option<StageEnd>,
}

fn one() -> u32 {
    1
}

/// How the stage ends its operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageEnd {
    /// It is complete.
    Complete,
    /// It has failed; the error is the text that the server's copy has there, or else the stage's
    /// message.
    Fail {
        /// A JSON pointer.
        error_at: Option<String>,
    },
}

/// Which stage a value in the server's copy means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressRule {
    /// Where the value stands: a JSON pointer, for JSON resources.
    pub at: String,
    /// The stage by the value, as [`Resource::text_at`] gives it. Other values say nothing.
    pub stages: BTreeMap<String, String>,
}

impl Stage {
    /// A stage of weight 1 that takes nobody knows how long.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            weight: 1,
            expected_ms: None,
            message: None,
            end: None,
        }
    }

    /// The same, with another share of the whole.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The same, taking so many milliseconds.
    #[must_use]
    pub fn expected_ms(mut self, ms: u64) -> Self {
        self.expected_ms = Some(ms);
        self
    }

    /// The same, telling this when it begins.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The same, by which the operation is complete.
    #[must_use]
    pub fn completes(mut self) -> Self {
        (self.weight, self.end) = (0, Some(StageEnd::Complete));
        self
    }

    /// The same, by which the operation has failed. The server's copy may tell why at `error_at`.
    #[must_use]
    pub fn fails(mut self, error_at: Option<&str>) -> Self {
        let error_at = error_at.map(Into::into);
        (self.weight, self.end) = (0, Some(StageEnd::Fail { error_at }));
        self
    }
}

impl ProgressPlan {
    /// A plan of these stages, without rules.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Self {
        Self {
            stages: stages.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same, with one more rule: which stage each value at `at` means.
    #[must_use]
    pub fn rule<'a>(
        mut self,
        at: &str,
        stages: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let stages = stages.into_iter();
        self.rules.push(ProgressRule {
            at: at.into(),
            stages: stages.map(|(v, s)| (v.into(), s.into())).collect(),
        });
        self
    }

    /// The same, marked as stalled after so many milliseconds without news.
    #[must_use]
    pub fn stalled_after_ms(mut self, ms: u64) -> Self {
        self.stalled_after_ms = Some(ms);
        self
    }

    /// Whether it means what it says. A plan is used even if it does not: an unknown stage is then a
    /// word without progress.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for two stages of one name, for a rule that names a stage which is not
    /// declared, and when no stage has any weight.
    pub fn check(&self) -> Result<(), Error> {
        let bad =
            |what: &str, problem: &str| Err(Error::bad_input(format!("stage {what:?}"), problem));
        for (index, stage) in self.stages.iter().enumerate() {
            if self.position(&stage.name) != Some(index) {
                return bad(
                    &stage.name,
                    "is declared twice; give each a name of its own",
                );
            }
        }
        if let Some(first) = self.stages.first() {
            if self.stages.iter().all(|stage| stage.weight == 0) {
                return bad(
                    &first.name,
                    "no stage has a weight; give one to each that takes time",
                );
            }
        }
        let named = self.rules.iter().flat_map(|rule| rule.stages.values());
        match named.into_iter().find(|name| self.position(name).is_none()) {
            Some(name) => bad(name, "a rule names it, and it is not declared"),
            None => Ok(()),
        }
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }

    pub(crate) fn end(&self, name: &str) -> Option<&StageEnd> {
        self.stages[self.position(name)?].end.as_ref()
    }

    /// Whether one of its stages ends the operation: then nothing else completes it (P4).
    pub(crate) fn has_end(&self) -> bool {
        self.stages.iter().any(|stage| stage.end.is_some())
    }

    /// The stage that this copy of the server means.
    pub(crate) fn stage_of<R: Resource>(&self, body: &R) -> Option<&str> {
        self.rules.iter().find_map(|rule| {
            let value = body.text_at(&rule.at)?;
            rule.stages.get(&*value).map(String::as_str)
        })
    }

    /// How far the whole is in this stage, 0 to 100, when `within` (0 to 100) of it is done: the
    /// weights of the stages before it, and its own in part. Rounded down, so that only what is
    /// complete shows 100. A failure is no progress.
    pub(crate) fn overall(&self, stage: &str, within: Option<f64>) -> Option<f64> {
        let at = self.position(stage)?;
        match self.stages[at].end {
            Some(StageEnd::Complete) => return Some(100.0),
            Some(StageEnd::Fail { .. }) => return None,
            None => {}
        }
        let weight = |stages: &[Stage]| stages.iter().map(|s| f64::from(s.weight)).sum::<f64>();
        let all = weight(&self.stages);
        let own = f64::from(self.stages[at].weight) * within.unwrap_or(0.0);
        let percent = (weight(&self.stages[..at]) * 100.0 + own) / all;
        percent.is_finite().then(|| percent.floor())
    }

    /// How many milliseconds are left in this stage and those behind it; `None` when nobody knows.
    pub(crate) fn left_ms(&self, stage: &str, within: Option<f64>) -> Option<u64> {
        let at = self.position(stage)?;
        let own = self.stages[at].expected_ms?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 100
        let done = within.unwrap_or(0.0) as u64;
        let own = own - (u128::from(own) * u128::from(done) / 100) as u64;
        let later = self.stages[at + 1..].iter().filter(|s| s.end.is_none());
        later
            .map(|stage| stage.expected_ms)
            .try_fold(own, |sum, ms| Some(sum.saturating_add(ms?)))
    }
}
