//! The pages say that a watch on a Kubernetes-like API takes fifteen lines: it does. Both blocks are
//! compiled with their crates' documentation, and the first one is run.
#![allow(missing_docs, reason = "a test")]

/// The lines of a page's first block of Rust that a reader sees.
fn lines(page: &str) -> Vec<&str> {
    let block = page.split("```rust").nth(1).expect("a block");
    let block = block.split("```").next().expect("its end");
    let shown = block.lines().skip(1).filter(|line| !line.starts_with('#'));
    shown.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_watch_takes_fifteen_lines() {
    let loops = lines(include_str!("../../../docs/watching.md"));
    let first = loops.iter().position(|line| *line == "loop {");
    let last = loops.iter().position(|line| *line == "}");
    let (first, last) = first.zip(last).expect("a loop");
    assert_eq!(last - first + 1, 15, "{loops:#?}");
    let whole = lines(include_str!("../../../docs/watch-adapters.md"));
    assert_eq!(whole.len(), 15, "{whole:#?}");
}
