//! Holds a page against the files that its code is compiled from.

/// The blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect()
}

/// Every Rust block is a piece of a file that is compiled, and of every file something is shown.
pub(crate) fn shows_what_is_compiled(page: &str, files: &[&str]) {
    let shown = blocks(page, "rust");
    for block in &shown {
        let compiled = files.iter().any(|file| file.contains(block));
        assert!(compiled, "on the page, and not compiled:\n{block}");
    }
    for file in files {
        let on_page = shown.iter().any(|block| file.contains(block));
        assert!(on_page, "compiled, and not on the page:\n{file}");
    }
}

/// Every output on the page is one that was found, in the same order.
pub(crate) fn shows_what_is_found(page: &str, found: &[String]) {
    let shown: Vec<&str> = blocks(page, "text")
        .into_iter()
        .map(str::trim_end)
        .collect();
    let found: Vec<&str> = found.iter().map(|text| text.trim_end()).collect();
    assert_eq!(shown, found);
}
