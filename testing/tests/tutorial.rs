//! The steps of docs/testing-tutorial.md: its code is compiled here, its mistake is found here, and
//! what the page shows is what was found.

mod page;

use resourcecache_testing::Law;

macro_rules! files {
    ($($file:literal),*) => { [$(include_str!(concat!("tutorial/", $file, ".rs"))),*] };
}

const PAGE: &str = include_str!("../../docs/testing-tutorial.md");

mod wrong {
    include!("tutorial/note.rs");
    include!("tutorial/last_writer_wins.rs");
    include!("tutorial/strategies.rs");

    /// The laws that do not hold, with the smallest cases.
    pub(crate) fn broken() -> Vec<(super::Law, String)> {
        let broken =
            |law: super::Law| Some((law, law.counter_example::<Note>(&notes(), &edits())?));
        super::Law::ALL.into_iter().filter_map(broken).collect()
    }
}

mod mended {
    include!("tutorial/note.rs");
    include!("tutorial/mended.rs");
    include!("tutorial/strategies.rs");
    include!("tutorial/laws.rs");
}

#[test]
fn the_mistake_is_found_and_shown_as_it_is_found() {
    let broken = wrong::broken();
    let laws: Vec<Law> = broken.iter().map(|(law, _)| *law).collect();
    assert_eq!(laws, [Law::PicksWhatWasLaid, Law::DifferenceCatchesUp]);
    page::shows_what_is_found(PAGE, &[broken[0].1.clone()]);
}

#[test]
fn the_page_shows_what_is_compiled() {
    page::shows_what_is_compiled(
        PAGE,
        &files!("note", "last_writer_wins", "mended", "strategies", "laws"),
    );
}
