//! The laws of `Resource`, to be checked on a type or a merge policy of one's own.

use std::fmt::Debug;

use resourcecache::Resource;

/// One law of [`Resource`], which is one of [`MergePolicy`](resourcecache::MergePolicy) too.
///
/// [`resource_laws!`](crate::resource_laws) makes a test of each. By hand:
///
/// ```
/// use proptest::prelude::*;
/// use resourcecache_testing::{FIELD_COUNT, Law, Toy};
/// let bodies = prop::array::uniform3(0..3_i64).prop_map(|fields| Toy::new("a", fields));
/// let patches = prop::array::uniform3(prop::option::of(0..3_i64));
/// for law in Law::ALL {
///     assert_eq!(law.counter_example::<Toy>(&bodies, &patches), None);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Law {
    /// A patch never changes the id.
    KeepsId,
    /// Laying a patch on the same base gives the same.
    Repeats,
    /// Laying all fields of a patch, in order, is laying the patch.
    FieldsAreTheWhole,
    /// A field is made of one field: itself.
    FieldsAreSmallest,
    /// After laying a field, picking it gives it back.
    PicksWhatWasLaid,
    /// Laying what was picked from a resource leaves that resource.
    PickedLaysBack,
    /// Laying a patch twice is laying it once.
    TwiceIsOnce,
    /// The fields that a patch does not name stay the base's.
    OthersFollowTheBase,
    /// Two patches that do not overlap lay in either order.
    ApartInAnyOrder,
    /// Overlapping goes both ways, and every field overlaps itself.
    OverlapsBothWays,
    /// Laying a difference gives the newer values.
    DifferenceCatchesUp,
    /// Nothing differs from itself.
    SameDiffersNot,
}

/// Two bodies of one resource, and two patches.
struct Case<'a, R: Resource> {
    older: &'a R,
    newer: &'a R,
    a: &'a R::Patch,
    b: &'a R::Patch,
}

type Checked = Result<(), String>;

/// Holds, or else says with what values not.
fn holds(holds: bool, values: &[(&str, &dyn Debug)]) -> Checked {
    if holds {
        return Ok(());
    }
    let lines = values
        .iter()
        .map(|(name, value)| format!("\n  {name}: {value:?}"));
    Err(lines.collect())
}

impl Law {
    /// Every law.
    pub const ALL: [Self; 12] = [
        Self::KeepsId,
        Self::Repeats,
        Self::FieldsAreTheWhole,
        Self::FieldsAreSmallest,
        Self::PicksWhatWasLaid,
        Self::PickedLaysBack,
        Self::TwiceIsOnce,
        Self::OthersFollowTheBase,
        Self::ApartInAnyOrder,
        Self::OverlapsBothWays,
        Self::DifferenceCatchesUp,
        Self::SameDiffersNot,
    ];

    /// The law in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::KeepsId => "a patch never changes the id",
            Self::Repeats => "laying a patch on the same base gives the same",
            Self::FieldsAreTheWhole => "laying all fields of a patch is laying the patch",
            Self::FieldsAreSmallest => "a field is made of one field, itself",
            Self::PicksWhatWasLaid => "picking a field that was laid gives it back",
            Self::PickedLaysBack => "laying what was picked from a resource leaves it",
            Self::TwiceIsOnce => "laying a patch twice is laying it once",
            Self::OthersFollowTheBase => "the fields that a patch does not name stay the base's",
            Self::ApartInAnyOrder => "patches that do not overlap lay in any order",
            Self::OverlapsBothWays => "overlapping goes both ways, and a field overlaps itself",
            Self::DifferenceCatchesUp => "laying a difference gives the newer values",
            Self::SameDiffersNot => "nothing differs from itself",
        }
    }

    /// What a user sees when it does not hold, and the rules of the model that rest on it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::KeepsId => "a row would become another's (V6, V7)",
            Self::Repeats => "a replay would show something else (R1)",
            Self::FieldsAreTheWhole | Self::FieldsAreSmallest => {
                "an edit would change what it shows when it is acknowledged (U2)"
            }
            Self::PicksWhatWasLaid => "an edit would not show, or never be confirmed (V4, U2, L8)",
            Self::PickedLaysBack => "a field could not be given back to the server (L15, U4)",
            Self::TwiceIsOnce => "the server's answer would be changed by the edit again (L8)",
            Self::OthersFollowTheBase => "what others changed would not show under an edit (V4)",
            Self::ApartInAnyOrder => "the order of answers would decide what shows (L3, U5)",
            Self::OverlapsBothWays => "an older edit could cover a newer one (L15, U5)",
            Self::DifferenceCatchesUp | Self::SameDiffersNot => {
                "what an answer changed would be missed, or invented (U2)"
            }
        }
    }

    /// Checks it on two bodies of one resource and two patches.
    ///
    /// ```
    /// use resourcecache_testing::{Law, Toy};
    /// let (older, newer) = (Toy::new("a", [1, 2, 3]), Toy::new("a", [1, 5, 3]));
    /// Law::TwiceIsOnce.check(&older, &newer, &[Some(7), None, None], &[None; 3])?;
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The law, the values that break it, and what that means.
    pub fn check<R: Resource>(
        self,
        older: &R,
        newer: &R,
        a: &R::Patch,
        b: &R::Patch,
    ) -> Result<(), String> {
        let case = Case { older, newer, a, b };
        let checked = match self {
            Self::KeepsId | Self::Repeats | Self::TwiceIsOnce => self.check_laying(&case),
            Self::FieldsAreTheWhole | Self::FieldsAreSmallest | Self::PicksWhatWasLaid => {
                self.check_fields(&case)
            }
            Self::PickedLaysBack | Self::SameDiffersNot | Self::DifferenceCatchesUp => {
                self.check_reading(&case)
            }
            Self::OthersFollowTheBase | Self::ApartInAnyOrder | Self::OverlapsBothWays => {
                self.check_two(&case)
            }
        };
        checked.map_err(|values| format!("broken: {}{values}\nso {}", self.text(), self.meaning()))
    }

    fn check_laying<R: Resource>(self, case: &Case<'_, R>) -> Checked {
        let (base, patch) = (case.older, case.a);
        let laid = base.apply(patch);
        let values: &[(&str, &dyn Debug)] = &[("base", base), ("patch", patch), ("laid", &laid)];
        match self {
            Self::KeepsId if base.changes_identity(patch) => Ok(()), // it is refused
            Self::KeepsId => holds(laid.id() == base.id(), values),
            Self::Repeats => holds(base.apply(patch) == laid, values),
            _ => {
                let twice = laid.apply(patch);
                holds(twice == laid, &[values, &[("laid twice", &twice)]].concat())
            }
        }
    }

    fn check_fields<R: Resource>(self, case: &Case<'_, R>) -> Checked {
        let (base, patch) = (case.older, case.a);
        let fields = R::fields(patch);
        if self == Self::FieldsAreTheWhole {
            let whole = base.apply(patch);
            let one_by_one = fields.iter().fold(base.clone(), |body, f| body.apply(f));
            return holds(
                one_by_one == whole,
                &[
                    ("base", base),
                    ("patch", patch),
                    ("laid", &whole),
                    ("laid field by field", &one_by_one),
                ],
            );
        }
        for field in &fields {
            if self == Self::FieldsAreSmallest {
                let parts = R::fields(field);
                holds(
                    parts == [field.clone()],
                    &[("field", field), ("its fields", &parts)],
                )?;
            } else {
                let laid = base.apply(field);
                let picked = laid.pick(field);
                holds(
                    picked == *field,
                    &[
                        ("base", base),
                        ("field", field),
                        ("laid", &laid),
                        ("picked", &picked),
                    ],
                )?;
            }
        }
        Ok(())
    }

    fn check_reading<R: Resource>(self, case: &Case<'_, R>) -> Checked {
        let Case {
            older, newer, a, ..
        } = case;
        match self {
            Self::PickedLaysBack => {
                let picked = older.pick(a);
                let laid = older.apply(&picked);
                let values: &[(&str, &dyn Debug)] =
                    &[("base", older), ("patch", a), ("picked", &picked)];
                holds(laid == **older, &[values, &[("laid", &laid)]].concat())
            }
            Self::SameDiffersNot => {
                let fields = R::fields(&newer.diff(newer));
                holds(
                    fields.is_empty(),
                    &[("body", newer), ("differs by", &fields)],
                )
            }
            _ => {
                let difference = older.diff(newer);
                let caught_up = older.apply(&difference);
                R::fields(&difference).iter().try_for_each(|field| {
                    holds(
                        caught_up.pick(field) == newer.pick(field),
                        &[
                            ("older", older),
                            ("newer", newer),
                            ("difference", &difference),
                            ("laid", &caught_up),
                        ],
                    )
                })
            }
        }
    }

    fn check_two<R: Resource>(self, case: &Case<'_, R>) -> Checked {
        let (base, a, b) = (case.older, case.a, case.b);
        let overlap = R::overlaps(a, b);
        if self == Self::OverlapsBothWays {
            holds(
                overlap == R::overlaps(b, a),
                &[("a", a), ("b", b), ("a overlaps b", &overlap)],
            )?;
            return R::fields(a).iter().try_for_each(|field| {
                holds(
                    R::overlaps(field, field),
                    &[("field", field), ("overlaps itself", &false)],
                )
            });
        }
        if overlap {
            return Ok(());
        }
        let laid = base.apply(a);
        let values: &[(&str, &dyn Debug)] = &[("base", base), ("patch", a), ("laid", &laid)];
        if self == Self::ApartInAnyOrder {
            let (ab, ba) = (laid.apply(b), base.apply(b).apply(a));
            let more: &[(&str, &dyn Debug)] = &[
                ("another patch", b),
                ("this first", &ab),
                ("the other first", &ba),
            ];
            return holds(ab == ba, &[values, more].concat());
        }
        R::fields(b).iter().try_for_each(|field| {
            let (before, after) = (base.pick(field), laid.pick(field));
            let more: &[(&str, &dyn Debug)] =
                &[("another field, before", &before), ("and after", &after)];
            holds(before == after, &[values, more].concat())
        })
    }
}

/// Checks every [`Law`] on two bodies of one resource and two patches.
///
/// ```
/// use resourcecache_testing::{Toy, check_laws};
/// let (older, newer) = (Toy::new("a", [1, 2, 3]), Toy::new("a", [1, 5, 3]));
/// check_laws(&older, &newer, &[Some(7), None, None], &[None, Some(8), None])?;
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// The law that does not hold, and the values that break it.
pub fn check_laws<R: Resource>(
    older: &R,
    newer: &R,
    a: &R::Patch,
    b: &R::Patch,
) -> Result<(), String> {
    Law::ALL
        .iter()
        .try_for_each(|law| law.check(older, newer, a, b))
}
