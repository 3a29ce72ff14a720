//! The laws of `Resource`, to be checked on a type of one's own.

use resourcecache::Resource;

/// Checks every law of [`Resource`] on two bodies of one resource and two patches. The answer names
/// the law that does not hold.
///
/// Call it from a property test over random bodies and patches:
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
/// The law, and the values that break it.
pub fn check_laws<R: Resource>(
    older: &R,
    newer: &R,
    a: &R::Patch,
    b: &R::Patch,
) -> Result<(), String> {
    let law = |holds: bool, text: &str| {
        let problem =
            || format!("{text}\n  older: {older:?}\n  newer: {newer:?}\n  a: {a:?}\n  b: {b:?}");
        if holds { Ok(()) } else { Err(problem()) }
    };
    let whole = older.apply(a);
    let by_fields = R::fields(a).iter().fold(older.clone(), |r, f| r.apply(f));
    law(
        by_fields == whole,
        "laying all fields of a patch is laying the patch",
    )?;
    for field in R::fields(a) {
        law(
            older.apply(&field).pick(&field) == field,
            "picking a field that was laid gives it back",
        )?;
        law(R::fields(&field).len() == 1, "a field is made of one field")?;
    }
    law(
        older.apply(&older.pick(a)) == *older,
        "laying what was picked from a resource leaves it",
    )?;
    let caught_up = older.apply(&older.diff(newer));
    for field in R::fields(&older.diff(newer)) {
        law(
            caught_up.pick(&field) == newer.pick(&field),
            "laying a difference gives the newer values",
        )?;
    }
    law(
        R::fields(&newer.diff(newer)).is_empty(),
        "nothing differs from itself",
    )?;
    law(
        R::overlaps(a, b) == R::overlaps(b, a),
        "overlapping goes both ways",
    )?;
    if !R::overlaps(a, b) {
        law(
            whole.apply(b) == older.apply(b).apply(a),
            "patches that do not overlap lay in any order",
        )?;
    }
    if !older.changes_identity(a) {
        law(whole.id() == older.id(), "a patch never changes the id")?;
    }
    Ok(())
}
