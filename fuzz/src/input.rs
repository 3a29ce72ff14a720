//! Reads an input from its start: small numbers first, then steps, then what is left.

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use resourcecache_testing::{Step, step};

/// The bytes that are not read yet. Behind the end, all are zero.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u8) -> usize {
        usize::from(self.byte() % end)
    }

    pub(crate) fn four(&mut self) -> [u8; 4] {
        std::array::from_fn(|_| self.byte())
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// One value of a property test's strategy, chosen by the next four bytes: to add, drop, copy
    /// or swap four bytes is to do so with one value.
    pub(crate) fn draw<T: std::fmt::Debug>(&mut self, strategy: &BoxedStrategy<T>) -> T {
        let mut seed = u64::from(u32::from_le_bytes(self.four()));
        let mut sixteen = [0; 16];
        for eight in sixteen.chunks_exact_mut(8) {
            seed = spread(seed);
            eight.copy_from_slice(&seed.to_le_bytes());
        }
        let rng = TestRng::from_seed(RngAlgorithm::XorShift, &sixteen);
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, rng);
        match strategy.new_tree(&mut runner) {
            Ok(tree) => tree.current(),
            Err(reason) => unreachable!("these strategies reject nothing: {reason}"),
        }
    }

    /// Steps of a history, up to `most`; their number comes first.
    pub(crate) fn steps(&mut self, most: u8) -> Vec<Step> {
        thread_local! {
            static STEP: BoxedStrategy<Step> = step().boxed();
        }
        let count = self.below(most);
        STEP.with(|step| (0..count).map(|_| self.draw(step)).collect())
    }
}

/// Neighbouring seeds lead to values that have nothing in common (SplitMix64).
fn spread(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
