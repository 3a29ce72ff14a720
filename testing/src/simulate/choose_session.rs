//! Chooses what happens to watch sessions.

use resourcecache::Resume;

use super::generate::Chooser;
use super::model::{ServerModel, Subject};
use super::play::Play;
use super::step::{Act, Step};
use super::watching::{Fault, Watching};

/// Of a hundred acts of a client that has a session, so many are its session's.
const OFTEN: usize = 55;

impl<R: Subject> Chooser<R> {
    /// What happens to a client's watch session, now and then.
    pub(crate) fn session<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        play.world.session.as_ref()?;
        if !self.dice.chance(OFTEN) {
            return None;
        }
        let act = self.happens(play, client)?;
        let driven = matches!(act, Watching::Drive { .. });
        if !driven && self.dice.chance(80) {
            // The driver is quick, mostly; or does one thing only.
            let most = *self.dice.pick(&[1, 1_000, 1_000, 1_000]).unwrap_or(&1_000);
            let act = Act::Watching(Watching::Drive { most });
            self.next.push_back(Step::Client { client, act });
        }
        Some(Act::Watching(act))
    }

    fn happens<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Watching> {
        let watcher = play.clients[client].watcher.as_ref()?;
        let replica = self.dice.below(play.network.replicas.len());
        let driven = Watching::Drive { most: 1_000 };
        let (list, opening) = (watcher.list.is_some(), watcher.opening.is_some());
        Some(match self.dice.below(20) {
            0 => self.rarely(client),
            1 | 2 => driven,
            3..8 if list => Watching::Answer { replica },
            8 if list => Watching::Fail {
                list: true,
                fault: self.fault(),
            },
            3..8 if opening => Watching::Open { replica },
            8 if opening => Watching::Fail {
                list: false,
                fault: self.fault(),
            },
            _ => match &watcher.stream {
                Some(stream) => self.streams(play, stream.replica, stream.next),
                None if list => Watching::Answer { replica },
                None if opening => Watching::Open { replica },
                None => driven,
            },
        })
    }

    fn rarely(&mut self, client: usize) -> Watching {
        match self.dice.below(10) {
            0..3 => Watching::Late,
            3 => Watching::Relist,
            4..7 => {
                // Offline is the exception.
                if self.dice.chance(70) {
                    let online = Act::Watching(Watching::Online { online: true });
                    self.next.push_back(Step::Client {
                        client,
                        act: online,
                    });
                }
                Watching::Online { online: false }
            }
            7 => Watching::Online { online: true },
            _ => {
                let keep = *self.dice.pick(&[0, 1, 3]).unwrap_or(&0);
                self.next.push_back(Step::Compact { keep });
                Watching::Cut
            }
        }
    }

    fn fault(&mut self) -> Fault {
        let faults = [
            Fault::Lost,
            Fault::Lost,
            Fault::Busy { after_ms: None },
            Fault::Busy {
                after_ms: Some(1_500),
            },
            Fault::Expired,
            Fault::Expired,
            Fault::Ahead,
            Fault::Refused,
        ];
        *self.dice.pick(&faults).unwrap_or(&Fault::Lost)
    }

    fn streams<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        replica: usize,
        next: usize,
    ) -> Watching {
        let settings = play.world.session.as_ref();
        let numbered = settings.is_some_and(|s| s.resume != Resume::Version);
        let behind = next <= play.network.replicas[replica];
        match self.dice.below(24) {
            0 | 1 => Watching::Cut,
            2 => Watching::End,
            3 => Watching::Expire,
            4 | 5 => Watching::Repeat,
            6 | 7 if numbered => Watching::Skip,
            8 => Watching::Garble {
                refused: self.dice.chance(50),
            },
            9..12 if !numbered => Watching::Bookmark,
            12 => Watching::Heard,
            _ if behind => Watching::Tell {
                most: *self.dice.pick(&[1, 1, 3]).unwrap_or(&1),
            },
            // Something is to be told.
            _ => {
                self.next.push_back(Step::CatchUp {
                    replica,
                    by: *self.dice.pick(&[1, 2, 1_000]).unwrap_or(&1),
                });
                Watching::Tell { most: 1 }
            }
        }
    }
}
