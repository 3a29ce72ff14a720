//! The last words of a panic, which in WebAssembly is a trap without any.

use std::panic::set_hook;
use std::sync::{Mutex, PoisonError};

use wasm_bindgen::prelude::wasm_bindgen;

static LAST: Mutex<Option<String>> = Mutex::new(None);

fn last() -> std::sync::MutexGuard<'static, Option<String>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the words of a panic kept. Runs when the module is instantiated.
#[wasm_bindgen(start)]
pub(crate) fn keep_faults() {
    set_hook(Box::new(|info| *last() = Some(info.to_string())));
}

/// What the last panic said; to be asked after a trap.
#[wasm_bindgen]
pub fn last_fault() -> Option<String> {
    last().clone()
}
