//! Every law finds a rule that breaks it.

use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use resourcecache::{Governed, MergePolicy, Resource, Settlement};
use resourcecache_testing::strategies::{Happening, Stage, history};
use resourcecache_testing::{FIELD_COUNT, Law, Player, Toy, check_history};

type Patch = [Option<i64>; FIELD_COUNT];

fn toys() -> impl Strategy<Value = Toy> {
    ("[ab]", prop::array::uniform3(0..3_i64)).prop_map(|(id, fields)| Toy::new(id, fields))
}

fn patches() -> impl Strategy<Value = Patch> {
    prop::array::uniform3(prop::option::of(0..3_i64))
}

/// What a law says of a policy.
fn found<P: MergePolicy<Toy>>(law: Law) -> String {
    let toys = toys().prop_map(Governed::<Toy, P>::new);
    law.counter_example::<Governed<Toy, P>>(&toys, &patches())
        .unwrap_or_else(|| panic!("{law:?} finds nothing"))
}

macro_rules! broken_policy {
    ($law:ident, $test:ident, |$base:ident, $patch:ident| $laid:expr $(, $more:item)*) => {
        #[test]
        fn $test() {
            struct Broken;
            impl MergePolicy<Toy> for Broken {
                fn lay($base: &Toy, $patch: &Patch) -> Toy {
                    $laid
                }
                $($more)*
            }
            let text = found::<Broken>(Law::$law);
            assert!(text.contains(Law::$law.text()), "{text}");
        }
    };
}

/// The toy with its numbers changed.
fn with(base: &Toy, change: impl Fn(usize, i64) -> i64) -> Toy {
    let fields = std::array::from_fn(|i| change(i, base.fields[i]));
    Toy {
        fields,
        ..base.clone()
    }
}

thread_local! {
    static CALLS: Cell<i64> = const { Cell::new(0) };
}

broken_policy!(Repeats, a_counter, |base, patch| {
    CALLS.set(CALLS.get() + 1);
    with(
        &base.apply(patch),
        |i, old| if i == 2 { CALLS.get() } else { old },
    )
});
broken_policy!(FieldsAreTheWhole, one_field_of_two, |base, patch| {
    match patch {
        [Some(_), Some(_), _] => base.clone(),
        _ => base.apply(patch),
    }
});
broken_policy!(
    FieldsAreSmallest,
    fields_that_split_again,
    |base, patch| base.apply(patch),
    fn fields(patch: &Patch) -> Vec<Patch> {
        [Toy::fields(patch), Toy::fields(patch)].concat()
    }
);
broken_policy!(PicksWhatWasLaid, the_larger_wins, |base, patch| {
    with(base, |i, old| patch[i].map_or(old, |new| old.max(new)))
});
broken_policy!(PickedLaysBack, whole_tens, |base, patch| {
    with(base, |i, old| patch[i].map_or(old, |new| new / 10 * 10))
});
broken_policy!(TwiceIsOnce, so_much_more, |base, patch| {
    with(base, |i, old| old + patch[i].unwrap_or(0))
});
broken_policy!(OthersFollowTheBase, a_whole_copy, |base, patch| {
    with(base, |i, _| patch[i].unwrap_or(0))
});
broken_policy!(
    ApartInAnyOrder,
    a_field_that_reads_another,
    |base, patch| {
        let read = patch[1].map(|_| base.fields[0]);
        with(&base.apply(patch), |i, old| {
            if i == 1 { read.unwrap_or(old) } else { old }
        })
    }
);
broken_policy!(
    OverlapsBothWays,
    an_overlap_from_one_side,
    |base, patch| base.apply(patch),
    fn overlaps(a: &Patch, b: &Patch) -> bool {
        a[0].is_some() && b[1].is_some()
    }
);
broken_policy!(
    DifferenceCatchesUp,
    a_difference_the_wrong_way_round,
    |base, patch| base.apply(patch),
    fn diff(older: &Toy, newer: &Toy) -> Patch {
        newer.diff(older)
    }
);
broken_policy!(
    SameDiffersNot,
    a_difference_of_everything,
    |base, patch| base.apply(patch),
    fn diff(_: &Toy, newer: &Toy) -> Patch {
        newer.fields.map(Some)
    }
);

/// A type that says that its patches leave the id alone, and whose patches do not.
#[derive(Clone, Debug, PartialEq)]
struct Named(String);

impl Resource for Named {
    type Patch = Option<String>;

    fn id(&self) -> &str {
        &self.0
    }
    fn apply(&self, patch: &Option<String>) -> Self {
        patch.clone().map_or(self.clone(), Named)
    }
    fn fields(patch: &Option<String>) -> Vec<Option<String>> {
        patch.clone().map(Some).into_iter().collect()
    }
    fn pick(&self, patch: &Option<String>) -> Option<String> {
        patch.as_ref().map(|_| self.0.clone())
    }
    fn diff(&self, newer: &Self) -> Option<String> {
        (self != newer).then(|| newer.0.clone())
    }
    fn overlaps(a: &Option<String>, b: &Option<String>) -> bool {
        a.is_some() && b.is_some()
    }
    fn changes_identity(&self, _: &Option<String>) -> bool {
        false
    }
}

#[test]
fn a_patch_that_renames() {
    let (bodies, patches) = ("[ab]".prop_map(Named), prop::option::of("[ab]"));
    let text = Law::KeepsId.counter_example::<Named>(&bodies, &patches);
    assert_eq!(
        text.unwrap(),
        "broken: a patch never changes the id\n  base: Named(\"b\")\n  patch: Some(\"a\")\n  laid: Named(\"a\")\n\
         so a row would become another's (V6, V7)"
    );
}

/// A body that is never equal to itself, as one with a NaN.
#[derive(Clone, Debug)]
struct Unequal(Toy);

impl PartialEq for Unequal {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Resource for Unequal {
    type Patch = Patch;

    fn id(&self) -> &str {
        self.0.id()
    }
    fn apply(&self, patch: &Patch) -> Self {
        Self(self.0.apply(patch))
    }
    fn fields(patch: &Patch) -> Vec<Patch> {
        Toy::fields(patch)
    }
    fn pick(&self, patch: &Patch) -> Patch {
        self.0.pick(patch)
    }
    fn diff(&self, newer: &Self) -> Patch {
        self.0.diff(&newer.0)
    }
    fn overlaps(a: &Patch, b: &Patch) -> bool {
        Toy::overlaps(a, b)
    }
}

#[test]
fn histories_find_bodies_that_are_not_equal_to_themselves() {
    let list = resourcecache::Snapshot::complete(vec![Unequal(Toy::new("a", [0; 3]))]);
    let history = [Happening::Event(resourcecache::Event::Merge(list))];
    assert!(check_history(&history).unwrap_err().starts_with("broken: "));
}

/// Random histories of any type begin, answer and observe; no way for an operation to end is left
/// out.
#[test]
fn histories_reach_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let strategy = history::<Toy>(toys(), patches());
    let mut reached = BTreeSet::new();
    for _ in 0..2_000 {
        let mut stage = Stage::new(Player::config());
        for happening in strategy.new_tree(&mut runner).unwrap().current() {
            if let Some((_, _, Ok(applied))) = stage.play(&happening) {
                reached.extend(applied.changes.outcomes.iter().map(|o| o.settlement));
            }
        }
    }
    assert_eq!(reached, BTreeSet::from(Settlement::ALL));
}

mod toy_laws {
    use super::{Toy, patches, toys};
    resourcecache_testing::resource_laws!(Toy, toys(), patches());
}
