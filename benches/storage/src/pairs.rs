//! Times two ways of doing the same, in turns, so that what else the machine does meets both.

use std::time::{Duration, Instant};

use crate::Outcome;

/// What two ways take.
pub(crate) struct Pair {
    /// The median of all turns, or the least.
    pub(crate) ours: Duration,
    pub(crate) raw: Duration,
    /// The median of the rounds' ratios of medians, or that of the least.
    pub(crate) ratio: f64,
}

/// Runs both in turns, `each` times in each of the rounds.
pub(crate) fn pair(
    rounds: usize,
    each: usize,
    mut ours: impl FnMut(usize) -> Outcome<()>,
    mut raw: impl FnMut(usize) -> Outcome<()>,
) -> Outcome<Pair> {
    let (mut all_ours, mut all_raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (mut of_ours, mut of_raw) = (Vec::new(), Vec::new());
        for turn in round * each..(round + 1) * each {
            // Who comes second finds the caches warm: each does, half of the time.
            if turn % 2 == 0 {
                of_ours.push(time(&mut ours, turn)?);
                of_raw.push(time(&mut raw, turn)?);
            } else {
                of_raw.push(time(&mut raw, turn)?);
                of_ours.push(time(&mut ours, turn)?);
            }
        }
        ratios.push(median(&mut of_ours).as_secs_f64() / median(&mut of_raw).as_secs_f64());
        all_ours.extend(of_ours);
        all_raw.extend(of_raw);
    }
    ratios.sort_by(f64::total_cmp);
    Ok(Pair {
        ours: median(&mut all_ours),
        raw: median(&mut all_raw),
        ratio: ratios[ratios.len() / 2],
    })
}

/// Runs both in turns, once in each of the rounds: the least of each, and the ratio of these. For what
/// takes so long that nothing else lets it alone.
pub(crate) fn least_pair(
    rounds: usize,
    mut ours: impl FnMut(usize) -> Outcome<()>,
    mut raw: impl FnMut(usize) -> Outcome<()>,
) -> Outcome<Pair> {
    let (mut of_ours, mut of_raw) = (Duration::MAX, Duration::MAX);
    for round in 0..rounds {
        of_ours = of_ours.min(time(&mut ours, round)?);
        of_raw = of_raw.min(time(&mut raw, round)?);
    }
    Ok(Pair {
        ours: of_ours,
        raw: of_raw,
        ratio: of_ours.as_secs_f64() / of_raw.as_secs_f64(),
    })
}

/// The least of so many times.
pub(crate) fn least(times: usize, mut act: impl FnMut(usize) -> Outcome<()>) -> Outcome<Duration> {
    let mut least = Duration::MAX;
    for turn in 0..times {
        least = least.min(time(&mut act, turn)?);
    }
    Ok(least)
}

fn time(act: &mut impl FnMut(usize) -> Outcome<()>, turn: usize) -> Outcome<Duration> {
    let start = Instant::now();
    act(turn)?;
    Ok(start.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs_f64() * 1e6 {
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us => format!("{:.1} ms", us / 1_000.0),
    }
}
