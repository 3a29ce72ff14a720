//! What many write first: change the list at once, and replace it by whatever the server lists.

use serde_json::Value;

/// A list that believes every answer.
#[derive(Debug, Default)]
pub struct Naive {
    rows: Vec<Value>,
}

impl Naive {
    /// Takes a list as it comes.
    pub fn refresh(&mut self, items: &[Value]) {
        self.rows = items.to_vec();
    }

    /// Adds a row before the server has it.
    pub fn add(&mut self, row: Value) {
        self.rows.push(row);
    }

    /// Puts the server's answer in the place of a row.
    pub fn replace(&mut self, id: &str, row: Value) {
        if let Some(old) = self.rows.iter_mut().find(|r| r["id"] == id) {
            *old = row;
        }
    }

    /// Puts a row back as it was, after a call that failed.
    pub fn put_back(&mut self, row: Value) {
        match self.rows.iter_mut().find(|r| r["id"] == row["id"]) {
            Some(old) => *old = row,
            None => self.rows.push(row),
        }
    }

    /// Takes rows away before the server does.
    pub fn delete(&mut self, ids: &[&str]) {
        self.rows.retain(|r| !ids.iter().any(|id| r["id"] == *id));
    }

    /// Changes a field before the server does.
    pub fn set(&mut self, id: &str, field: &str, value: Value) {
        if let Some(row) = self.rows.iter_mut().find(|r| r["id"] == id) {
            row[field] = value;
        }
    }

    /// What is on screen.
    pub fn rows(&self) -> &[Value] {
        &self.rows
    }
}
