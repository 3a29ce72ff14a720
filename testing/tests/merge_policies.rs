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

    use resourcecache::{OperationId, Settlement};

    #[test]
    fn a_removed_tag_stays_away_and_others_show() {
        assert_eq!(shown::<ThreeWay>(), ["new"]);
    }

    fn set(tags: &[&str]) -> BTreeSet<String> {
        tags.iter().map(|tag| (*tag).to_string()).collect()
    }

    fn edit(before: &[&str], after: &[&str]) -> Edit {
        let (before, after) = (set(before), set(after));
        Edit {
            name: None,
            tags: Some(Tags { before, after }),
        }
    }

    /// A zone under the policy, its tags as the server lists them.
    struct Zones(ResourceCache<Governed<Zone, ThreeWay>>, i64);

    impl Zones {
        fn new(tags: &[&str]) -> Self {
            let mut zones = Self(ResourceCache::new(Config::default()), 0);
            zones.list(tags);
            zones
        }

        /// Lists it so, and answers how operations settled by that.
        fn list(&mut self, tags: &[&str]) -> Vec<Settlement> {
            self.1 += 1;
            let zone = Zone {
                id: "z".into(),
                name: "a.example".into(),
                tags: set(tags),
            };
            let list = Snapshot::complete(vec![zone.into()]);
            let merged = self.0.merge(list, Timestamp(self.1)).unwrap();
            merged
                .changes
                .outcomes
                .iter()
                .map(|o| o.settlement)
                .collect()
        }

        fn edit(&mut self, edit: Edit) -> OperationId {
            self.1 += 1;
            let begun = self
                .0
                .mark_as_updating("z", edit, Timestamp(self.1))
                .unwrap();
            begun.operation().unwrap()
        }

        fn acknowledge(&mut self, operation: OperationId) {
            self.1 += 1;
            self.0
                .acknowledge(operation, None, Timestamp(self.1))
                .unwrap();
        }

        fn shown(&self) -> BTreeSet<String> {
            self.0.get_one("z").unwrap().body().tags.clone()
        }
    }

    /// U2, U4: each tag is held, and given back, by itself.
    #[test]
    fn an_acknowledged_edit_is_confirmed_tag_by_tag() {
        let mut zones = Zones::new(&["old"]);
        let operation = zones.edit(edit(&["old"], &["mine"]));
        zones.acknowledge(operation);
        assert_eq!(zones.list(&["old", "theirs"]), []);
        assert_eq!(zones.shown(), set(&["mine", "theirs"]));
        assert_eq!(zones.list(&["mine", "old", "theirs"]), [], "half of it");
        assert_eq!(zones.shown(), set(&["mine", "theirs"]));
        assert_eq!(zones.list(&["mine", "theirs"]), [Settlement::Confirmed]);
    }

    /// L3: edits of different tags are answered and taken back by themselves.
    #[test]
    fn edits_of_different_tags_leave_each_other_alone() {
        let mut zones = Zones::new(&["old"]);
        let first = zones.edit(edit(&["old"], &[]));
        let second = zones.edit(edit(&["old"], &["old", "mine"]));
        assert_eq!(zones.shown(), set(&["mine"]));
        zones.acknowledge(second);
        zones.0.cancel(first, Timestamp(100)).unwrap();
        assert_eq!(zones.shown(), set(&["mine", "old"]));
    }

    /// L8: the server's answer closes the edit, and stays.
    #[test]
    fn an_answer_stays_when_the_edit_is_reverted() {
        let mut zones = Zones::new(&["old"]);
        zones.edit(edit(&["old"], &[]));
        zones.list(&["old", "theirs"]);
        let answer = edit(&["old"], &[]);
        zones.0.update_in_place("z", answer, Timestamp(99)).unwrap();
        let reverted = zones.0.revert("z", Timestamp(100)).unwrap();
        assert_eq!(
            reverted.changes.outcomes[0].settlement,
            Settlement::Confirmed
        );
        assert_eq!(zones.shown(), set(&["theirs"]));
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
