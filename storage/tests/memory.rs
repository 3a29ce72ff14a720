//! The store in memory keeps the contract.

use std::sync::Arc;

use resourcecache_storage::{MemoryStore, contract};

#[test]
fn the_contract() {
    let store = Arc::new(MemoryStore::new());
    contract::check(&move || store.clone());
}
