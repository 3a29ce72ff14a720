//! A JSON object that must be read whole: a field that nobody asked for is an error.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The fields of a step, a config or an expectation that are still to be read.
#[derive(Clone, Debug)]
pub struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(|e| e.to_string())
    }

    /// The text of a field, if it is there.
    pub fn raw(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(|value| value.get().to_string())
    }

    /// Whether a field is there, and still to be read.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field that may be left out. `null` counts as a value, for those who take one.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the value.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        self.raw(name)
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| format!("{name}: {error}"))
    }

    /// A field that must be there.
    ///
    /// # Errors
    ///
    /// Says that it is missing, or what is wrong with it.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        self.optional(name)?
            .ok_or_else(|| format!("{name}: missing"))
    }

    /// All has been read.
    ///
    /// # Errors
    ///
    /// Names the fields that nobody knows.
    pub fn finish(self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = self.0.into_keys().collect();
        Err(format!("unknown: {}", names.join(", ")))
    }
}
