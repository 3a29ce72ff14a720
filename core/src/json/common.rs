//! How far two texts are the same.

/// How many bytes the two have in common at the start; quick where these are few.
#[inline(always)]
pub(crate) fn common_start(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 16;
    let word =
        |bytes: &[u8]| u128::from_le_bytes(<[u8; STEP]>::try_from(bytes).unwrap_or_default());
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP));
    let mut at = 0;
    for (a, b) in steps {
        let differ = word(a) ^ word(b);
        if differ != 0 {
            return at + (differ.trailing_zeros() / 8) as usize;
        }
        at += STEP;
    }
    let rest = a[at..].iter().zip(&b[at..]);
    at + rest.take_while(|(a, b)| a == b).count()
}

/// The same, at memory's speed where they are many.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    /// Long enough to be compared at memory's speed, short enough to be looked at twice.
    const BLOCK: usize = 2048;
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    let equal = blocks.take_while(|(a, b)| a == b);
    let at = equal.map(|(a, _)| a.len()).sum::<usize>();
    at + common_start(&a[at..], &b[at..])
}
