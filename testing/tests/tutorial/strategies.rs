use proptest::prelude::*;

fn notes() -> impl Strategy<Value = Note> {
    ("n[12]", "[ab]?", 0..3_u64).prop_map(|(id, text, edited)| Note { id, text, edited })
}

fn edits() -> impl Strategy<Value = Edit> {
    (prop::option::of("[ab]?"), 0..3_u64).prop_map(|(text, at)| Edit { text, at })
}
