//! The worked example of docs/merge-policies.md: its code is compiled here, its mistake is found
//! here, and what the page shows is what was found.

mod page;

use resourcecache_testing::Law;

macro_rules! files {
    ($($file:literal),*) => { [$(include_str!(concat!("merge_policies/", $file, ".rs"))),*] };
}

const PAGE: &str = include_str!("../../docs/merge-policies.md");

mod wrong {
    include!("merge_policies/zone.rs");
    include!("merge_policies/union.rs");
    include!("merge_policies/strategies.rs");
    include!("merge_policies/effect.rs");

    /// The laws that do not hold, with the smallest cases.
    pub(crate) fn broken() -> Vec<(super::Law, String)> {
        let zones = resourcecache_testing::governed::<Zone, Union>(zones());
        let broken = |law: super::Law| {
            Some((
                law,
                law.counter_example::<Governed<Zone, Union>>(&zones, &edits())?,
            ))
        };
        super::Law::ALL.into_iter().filter_map(broken).collect()
    }

    #[test]
    fn a_removed_tag_comes_back() {
        assert_eq!(shown::<Union>(), ["new", "old"]);
    }
}

mod mended {
    include!("merge_policies/zone.rs");
    include!("merge_policies/three_way.rs");
    include!("merge_policies/strategies.rs");
    include!("merge_policies/three_way_laws.rs");
    include!("merge_policies/effect.rs");

    #[test]
    fn a_removed_tag_stays_away_and_others_show() {
        assert_eq!(shown::<ThreeWay>(), ["new"]);
    }

    /// The type's own rule keeps the laws too, and drops what the other user added.
    mod own_laws {
        use super::*;
        resourcecache_testing::resource_laws!(Zone, zones(), edits());
    }
}

#[test]
fn the_mistake_is_found_and_shown_as_it_is_found() {
    let broken = wrong::broken();
    let laws: Vec<Law> = broken.iter().map(|(law, _)| *law).collect();
    assert_eq!(laws, [Law::PicksWhatWasLaid, Law::DifferenceCatchesUp]);
    page::shows_what_is_found(
        PAGE,
        &broken.into_iter().map(|(_, text)| text).collect::<Vec<_>>(),
    );
}

#[test]
fn the_page_shows_what_is_compiled() {
    let files = files!(
        "zone",
        "union",
        "strategies",
        "union_laws",
        "three_way",
        "three_way_laws",
        "effect"
    );
    page::shows_what_is_compiled(PAGE, &files);
}
