//! Tries the laws on random bodies and patches, and makes a test of each.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use resourcecache::Resource;

use crate::laws::Law;

impl Law {
    /// Tries it on a thousand cases, the same ones each time, and says the smallest that breaks it.
    ///
    /// The bodies may have any ids. Where a law is about two bodies of one resource and theirs
    /// differ, the second is the first with a patch laid over it.
    pub fn counter_example<R: Resource>(
        self,
        bodies: &impl Strategy<Value = R>,
        patches: &impl Strategy<Value = R::Patch>,
    ) -> Option<String> {
        self.broken_within(same(CASES), bodies, patches)
    }

    /// The same, as a test. `RESOURCECACHE_CASES` asks for as many other cases.
    ///
    /// # Panics
    ///
    /// With the smallest case that breaks it.
    #[track_caller]
    pub fn hold<R: Resource>(
        self,
        bodies: &impl Strategy<Value = R>,
        patches: &impl Strategy<Value = R::Patch>,
    ) {
        if let Some(broken) = self.broken_within(asked(CASES), bodies, patches) {
            panic!("{broken}");
        }
    }

    fn broken_within<R: Resource>(
        self,
        cases: Config,
        bodies: &impl Strategy<Value = R>,
        patches: &impl Strategy<Value = R::Patch>,
    ) -> Option<String> {
        let values = (bodies, bodies, patches, patches);
        smallest(cases, &values, |(older, newer, a, b)| {
            if older.id() == newer.id() {
                self.check(older, newer, a, b)
            } else {
                self.check(older, &older.apply(b), a, b)
            }
        })
    }
}

const CASES: u32 = 1_000;

/// So many cases, the same ones each time.
fn same(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(20_250_119),
        max_shrink_iters: 100_000,
        // The message says the values: there is nothing to keep.
        failure_persistence: None,
        ..Config::default()
    }
}

/// `usually` so many, the same ones; as many others as `RESOURCECACHE_CASES` asks for.
pub(crate) fn asked(usually: u32) -> Config {
    let asked = std::env::var("RESOURCECACHE_CASES").ok();
    match asked.and_then(|n| n.parse().ok()) {
        None => same(usually),
        Some(cases) => Config {
            rng_seed: RngSeed::Random,
            ..same(cases)
        },
    }
}

/// Tries something on random values, and says why the smallest fails.
pub(crate) fn smallest<S: Strategy>(
    cases: Config,
    values: &S,
    check: impl Fn(&S::Value) -> Result<(), String>,
) -> Option<String> {
    let tried =
        TestRunner::new(cases).run(values, |value| check(&value).map_err(TestCaseError::fail));
    match tried {
        Ok(()) => None,
        Err(TestError::Fail(broken, _)) => Some(broken.to_string()),
        Err(TestError::Abort(problem)) => Some(format!("the values cannot be made: {problem}")),
    }
}

/// Makes a test of every [law](crate::Law) of `Resource`, and one of whole histories, on a type of
/// your own, over a strategy of its bodies and one of its patches. Put it into a module of its own.
///
/// ```
/// mod toy_laws {
///     use proptest::prelude::*;
///     use resourcecache_testing::{Toy, resource_laws};
///
///     resource_laws!(
///         Toy,
///         ("[ab]", prop::array::uniform3(0..3_i64)).prop_map(|(id, fields)| Toy::new(id, fields)),
///         prop::array::uniform3(prop::option::of(0..3_i64)),
///     );
/// }
/// ```
#[macro_export]
macro_rules! resource_laws {
    ($resource:ty, $bodies:expr, $patches:expr $(,)?) => {
        $crate::resource_laws! { @tests $resource, $bodies, $patches;
            a_patch_never_changes_the_id = KeepsId,
            laying_is_repeatable = Repeats,
            laying_all_fields_is_laying_the_patch = FieldsAreTheWhole,
            a_field_is_made_of_one_field = FieldsAreSmallest,
            what_was_laid_can_be_picked_again = PicksWhatWasLaid,
            laying_what_was_picked_changes_nothing = PickedLaysBack,
            laying_twice_is_laying_once = TwiceIsOnce,
            untouched_fields_follow_the_base = OthersFollowTheBase,
            patches_apart_lay_in_any_order = ApartInAnyOrder,
            overlapping_goes_both_ways = OverlapsBothWays,
            laying_a_difference_catches_up = DifferenceCatchesUp,
            nothing_differs_from_itself = SameDiffersNot,
        }

        #[test]
        fn histories_keep_what_the_cache_promises() {
            $crate::strategies::hold::<$resource>($bodies, $patches);
        }
    };
    (@tests $resource:ty, $bodies:expr, $patches:expr; $($name:ident = $law:ident,)*) => {
        $(
            #[test]
            fn $name() {
                $crate::Law::$law.hold::<$resource>(&$bodies, &$patches);
            }
        )*
    };
}

/// Makes a test of every law that a merge policy of your own must keep, on the type that it
/// governs. Put it into a module of its own.
///
/// ```
/// mod plain_laws {
///     use proptest::prelude::*;
///     use resourcecache::{MergePolicy, Resource};
///     use resourcecache_testing::{Toy, merge_policy_laws};
///
///     struct Plain;
///     impl MergePolicy<Toy> for Plain {
///         fn lay(base: &Toy, patch: &[Option<i64>; 3]) -> Toy {
///             base.apply(patch)
///         }
///     }
///
///     merge_policy_laws!(
///         Plain,
///         Toy,
///         prop::array::uniform3(0..3_i64).prop_map(|fields| Toy::new("a", fields)),
///         prop::array::uniform3(prop::option::of(0..3_i64)),
///     );
/// }
/// ```
#[macro_export]
macro_rules! merge_policy_laws {
    ($policy:ty, $resource:ty, $bodies:expr, $patches:expr $(,)?) => {
        $crate::resource_laws!(
            $crate::resourcecache::Governed<$resource, $policy>,
            $crate::governed::<$resource, $policy>($bodies),
            $patches,
        );
    };
}

/// Bodies under a merge policy.
pub fn governed<R, P>(
    bodies: impl Strategy<Value = R>,
) -> impl Strategy<Value = resourcecache::Governed<R, P>>
where
    R: std::fmt::Debug + Clone,
{
    bodies.prop_map(resourcecache::Governed::new)
}
