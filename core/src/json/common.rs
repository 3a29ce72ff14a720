//! How far two texts are the same.

/// Texts are compared so many bytes at a time.
pub(crate) const STEP: usize = 32;

/// How many bytes the two have in common at the start; quick where these are few.
#[inline(always)]
pub(crate) fn common_start(a: &[u8], b: &[u8]) -> usize {
    let halves = |bytes: &[u8]| {
        let (low, high) = bytes.split_at(STEP / 2);
        [low, high].map(|half| u128::from_le_bytes(half.try_into().unwrap_or_default()))
    };
    let mut at = 0;
    for (x, y) in a.chunks_exact(STEP).zip(b.chunks_exact(STEP)) {
        let ([x_low, x_high], [y_low, y_high]) = (halves(x), halves(y));
        let (low, high) = (x_low ^ y_low, x_high ^ y_high);
        if low | high != 0 {
            let (word, skipped) = if low != 0 { (low, 0) } else { (high, STEP / 2) };
            return at + skipped + (word.trailing_zeros() / 8) as usize;
        }
        at += STEP;
    }
    let rest = a[at..].iter().zip(&b[at..]);
    at + rest.take_while(|(a, b)| a == b).count()
}

/// The same, at memory's speed where they are many: at one stroke, if all is the same; else by
/// blocks, each without a branch within.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 128;
    let length = a.len().min(b.len());
    let (a, b) = (&a[..length], &b[..length]);
    if cfg!(target_family = "wasm") {
        // There memory is compared byte by byte, and no block at a stroke.
        return common_start(a, b);
    }
    if a == b {
        return length;
    }
    let same = |(a, b): &(&[u8], &[u8])| {
        let bytes = a.iter().zip(*b);
        bytes.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    };
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK));
    let at = BLOCK * blocks.take_while(same).count();
    at + common_start(&a[at..], &b[at..])
}
