//! Nothing that the core can do is missing here: the two surfaces are compared by their sources, whose
//! form rustfmt holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What of the core has another name here, or stands in something else, and why.
const ELSEWHERE: [(&str, &str); 23] = [
    ("apply", "apply_event"),        // `apply` means something else in Kotlin
    ("merge_response", "merge"),     // the bytes are the only way in
    ("snapshot", "merge"),           // a part of it
    ("response", "merge"),           // likewise
    ("resource", "add_as_creating"), // bodies are read where they come in
    ("merge_patch", "mark_as_updating"), // likewise
    ("partial", "update_in_place"),  // likewise
    ("watch_event", "observe"),      // likewise
    ("poll_timeout", "poll_timeout_ms"), // the unit is part of the name
    ("next_poll", "next_poll_ms"),   // likewise
    ("list_answer", "handle_list"),  // bodies are read where they come in
    ("watch_message", "handle_message"), // likewise
    ("kubernetes", "kubernetes_schema"), // a function of its own
    ("resume", "new"),               // a session that is given a position
    ("handle_applied", "poll"),      // which applies by itself
    ("update", "open"),              // every verb of an opened collection commits
    ("cache", "open"),               // which is read as any other
    ("track_saved", "open"),         // the parts of the saved form are for stores, which are
    ("delta", "open"),               // opened here, and not written against the core
    ("delta_saved", "open"),         // likewise
    ("revert_delta", "open"),        // likewise
    ("catch_up", "sync"),            // likewise
    ("catch_up_with", "sync"),       // likewise
];

fn sources(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).expect("a folder of sources");
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "rs") {
            texts.push(fs::read_to_string(&path).expect("a source"));
        }
    }
    texts
}

/// The names of public functions in the blocks that begin with one of these lines.
fn functions(text: &str, beginnings: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in text.lines() {
        inside = match line {
            "}" => false,
            line if beginnings.contains(&line) => true,
            _ => inside,
        };
        if let (true, Some(rest)) = (inside, line.strip_prefix("    pub fn ")) {
            names.extend(rest.split(['(', '<']).next().map(str::to_string));
        }
    }
    names
}

/// The names in `verbs! { ... }`, one a line.
fn verbs(text: &str) -> BTreeSet<String> {
    let lines = text.lines().skip_while(|line| *line != "verbs! {").skip(1);
    let lines = lines.take_while(|line| *line != "}");
    let lines = lines.filter_map(|line| line.strip_prefix("    "));
    let begins = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let name = |line: &str| line.split('(').next().unwrap_or_default().to_string();
    lines.filter(begins).map(name).collect()
}

fn core_surface() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in [
        "../core/src",
        "../core/src/json",
        "../storage/src/stored_cache",
    ] {
        for text in sources(folder) {
            names.extend(functions(
                &text,
                &[
                    "impl<R: Resource> ResourceCache<R> {",
                    "impl JsonCache {",
                    "impl Schema {",
                    "impl<R: Resource> WatchSession<R> {",
                    "impl<R: Stored> StoredCache<R> {",
                ],
            ));
            names.extend(verbs(&text));
            names.extend(text.lines().filter_map(|line| {
                let name = line.strip_prefix("pub fn ")?.split(['(', '<']).next()?;
                Some(name.to_string())
            }));
        }
    }
    names
}

#[test]
fn every_function_of_the_core_is_here() {
    let core = core_surface();
    for sample in [
        "merge",
        "batch_remove",
        "explain",
        "changes_since",
        "begin_fetch",
        "list_v1",
        "handle_message",
        "lead",
    ] {
        assert!(
            core.contains(sample),
            "{sample} was not found in the core: {core:?}"
        );
    }
    let mut here = BTreeSet::new();
    for text in sources("src") {
        here.extend(functions(
            &text,
            &["impl JsonCache {", "impl WatchSession {"],
        ));
        here.extend(text.lines().filter_map(|line| {
            let name = line.strip_prefix("pub fn ")?.split('(').next()?;
            Some(name.to_string())
        }));
    }
    let name_here = |name: &String| {
        let other = ELSEWHERE.iter().find(|(core, _)| core == name);
        other.map_or(name.clone(), |(_, here)| (*here).to_string())
    };
    let renamed = |name: &str| {
        match name {
            "record" => "save",
            "lifecycle_mermaid" => "lifecycle_diagram",
            name => name,
        }
        .to_string()
    };
    let missing: Vec<&String> = core
        .iter()
        .filter(|name| !here.contains(&renamed(&name_here(name))))
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "the core has it, this crate has not"
    );
}

#[test]
fn only_generated_code_is_unsafe() {
    for text in sources("src") {
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<&str> = code.filter(|line| line.contains("unsafe")).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}
