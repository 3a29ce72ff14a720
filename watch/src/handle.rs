//! How the rest of a program speaks with a driver.

use resourcecache::{Resource, ResourceCache, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use crate::health::Health;

type Act<R> = Box<dyn FnOnce(&mut ResourceCache<R>, Timestamp) + Send>;

/// What a driver is asked to do.
pub(crate) enum Command<R: Resource> {
    With(Act<R>),
    SetOnline(bool),
    Relist(oneshot::Sender<bool>),
    Shutdown,
}

/// The driver has ended: it was shut down, or its task has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the watch has ended")]
pub struct Ended;

/// Speaks with a [`Driver`](crate::Driver). Cheap to clone.
#[derive(Debug)]
pub struct Handle<R: Resource> {
    pub(crate) commands: mpsc::Sender<Command<R>>,
    pub(crate) health: watch::Receiver<Health>,
}

impl<R: Resource> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            health: self.health.clone(),
        }
    }
}

impl<R: Resource> Handle<R> {
    /// Does something with the collection, which the driver owns: a verb, or a question. `now` is
    /// the driver's. What it changes is told to the reader of the updates.
    ///
    /// ```
    /// # use resourcecache::{Applied, Error, JsonCache};
    /// # use resourcecache_watch::{Ended, Handle};
    /// # async fn example(zones: Handle<resourcecache::json::JsonResource>) -> Result<(), Box<dyn std::error::Error>> {
    /// let marked = zones.with(|zones, now| zones.mark_as_deleting("a", None, now)).await??;
    /// let shown = zones.with(|zones, _| zones.visible().count()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The driver has ended. Dropped while it waits, it may or may not be done.
    pub async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut ResourceCache<R>, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let (answer, answered) = oneshot::channel();
        let act = move |cache: &mut ResourceCache<R>, now: Timestamp| {
            // Nobody may wait for it any more.
            let _ = answer.send(act(cache, now));
        };
        self.send(Command::With(Box::new(act))).await?;
        answered.await.map_err(|_| Ended)
    }

    /// Says whether there is a network, where the system tells: offline nothing is tried, and
    /// online everything is tried at once.
    ///
    /// # Errors
    ///
    /// The driver has ended.
    pub async fn set_online(&self, online: bool) -> Result<(), Ended> {
        self.send(Command::SetOnline(online)).await
    }

    /// Lists again, as soon as may be: the user asked for it, or the program knows of something that
    /// no stream tells. What is shown stays until the list has come.
    ///
    /// Answers whether a list is asked for: not where it would end a stream, and the adapter cannot ask
    /// for one that is not older ([`Adapter::asks_for_versions`](crate::Adapter::asks_for_versions)).
    ///
    /// # Errors
    ///
    /// The driver has ended.
    pub async fn relist(&self) -> Result<bool, Ended> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Relist(answer)).await?;
        answered.await.map_err(|_| Ended)
    }

    /// Asks the driver to end: connections are closed with the protocol's goodbye, and
    /// [`Driver::run`](crate::Driver::run) returns.
    ///
    /// # Errors
    ///
    /// It has ended already.
    pub async fn shutdown(&self) -> Result<(), Ended> {
        self.send(Command::Shutdown).await
    }

    /// How the watch is getting on now.
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Waits until it is getting on so.
    ///
    /// # Errors
    ///
    /// The driver has ended before.
    pub async fn until(&self, is: impl FnMut(&Health) -> bool) -> Result<Health, Ended> {
        let mut health = self.health.clone();
        let reached = health.wait_for(is).await;
        reached.map(|health| health.clone()).map_err(|_| Ended)
    }

    async fn send(&self, command: Command<R>) -> Result<(), Ended> {
        self.commands.send(command).await.map_err(|_| Ended)
    }
}
