//! What becomes of an operation, and of what its attempts carry, when an attempt fails.

use crate::changes::Settlement;
use crate::config::OnFailure;
use crate::error::Error;
use crate::event::Retry;
use crate::operation::Payload;
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::Trigger;

impl<R: Resource> Row<R> {
    /// An attempt failed.
    pub(crate) fn fail(
        &mut self,
        index: usize,
        error: &str,
        retry: Retry,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let retry = cx.config.retry.judge(retry);
        let retry = self.operations[index].if_not_given_up(retry, cx);
        let carried = self.carried(index);
        self.fail_one(index, error, retry, cx)?;
        for index in carried {
            if self.operations[index].state.next(trigger(retry)).is_ok() {
                self.fail_one(index, error, retry, cx)?;
            }
        }
        Ok(())
    }

    fn fail_one(
        &mut self,
        index: usize,
        error: &str,
        retry: Retry,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        self.step(index, trigger(retry))?;
        let keep = cx.config.on_failure == OnFailure::Keep;
        let failed = &mut self.operations[index];
        failed.meta.error = Some(error.into());
        if retry != Retry::No {
            failed.back_off(retry, cx);
            return Ok(());
        }
        failed.hear(cx);
        failed.meta.expected_at = None;
        failed.attempt_ended();
        failed.meta.completed_at = Some(cx.now);
        failed.shown_until = (!keep).then(|| cx.clock.plus_ms(cx.config.error_shown_ms));
        failed.acked = None;
        if let Payload::Update { guards, .. } = &mut failed.payload {
            guards.clear();
        }
        if !failed.stale {
            self.report(index, Settlement::Failed, cx);
        }
        Ok(())
    }
}

fn trigger(retry: Retry) -> Trigger {
    match retry {
        Retry::No => Trigger::Fail,
        _ => Trigger::BackOff,
    }
}
