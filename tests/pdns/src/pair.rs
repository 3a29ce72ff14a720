//! A primary that is written to, and a secondary that is listed.

use serde_json::{Value, json};

use crate::held::Held;
use crate::programs::Programs;
use crate::server::Server;

/// The zone by which the secondary learns which zones there are. It lists this one too.
pub(crate) const CATALOG: &str = "catalog.example.";

/// The two servers. They end when this is dropped.
#[derive(Debug)]
pub struct Pair {
    primary: Server,
    secondary: Server,
    programs: Programs,
}

impl Pair {
    /// Starts both, with these zones, which the secondary lists.
    pub fn start(programs: &Programs, zones: &[&str]) -> Self {
        let pair = Self {
            primary: Server::start(
                programs,
                "primary",
                "primary=yes\nallow-axfr-ips=127.0.0.0/8",
            ),
            secondary: Server::start(programs, "secondary", "secondary=yes\nxfr-cycle-interval=1"),
            programs: programs.clone(),
        };
        // The default serial, a date, is greater than those that a catalog has later, which are
        // Unix times: with it, the secondary would transfer once and never again. The refresh is
        // long: the secondary transfers when it is told to.
        let soa = "ns.invalid. hostmaster.invalid. 1 3600 60 3600000 60";
        let catalog = json!({
            "name": CATALOG, "kind": "Producer", "soa_edit_api": "", "nameservers": [],
            "rrsets": [{"name": CATALOG, "type": "SOA", "ttl": 60, "records": [{"content": soa}]}],
        });
        pair.primary.ask("POST", "zones", Some(&catalog), 201);
        for zone in zones {
            pair.create(zone);
        }
        let primary = format!("127.0.0.1:{}", pair.primary.dns);
        let consumer = json!({"name": CATALOG, "kind": "Consumer", "masters": [primary]});
        pair.secondary.ask("POST", "zones", Some(&consumer), 201);
        pair.wait_until_transferred(0);
        pair
    }

    /// What the secondary lists: the answer's bytes.
    pub fn list(&self) -> Vec<u8> {
        let (status, bytes) = self.secondary.call("GET", "zones", None);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
        bytes
    }

    /// The zones as the primary has them, the catalog aside.
    pub fn truth(&self) -> Vec<Value> {
        let zones = self.primary.ask("GET", "zones", None, 200);
        let zones = zones.as_array().into_iter().flatten();
        let zones = zones.filter(|zone| zone["id"] != CATALOG);
        zones.map(common).collect()
    }

    /// Makes a zone on the primary, and answers it.
    pub fn create(&self, zone: &str) -> Value {
        let nameservers = [format!("ns.{zone}")];
        let body = json!({
            "name": zone, "kind": "Master", "catalog": CATALOG, "nameservers": nameservers,
        });
        common(&self.primary.ask("POST", "zones", Some(&body), 201))
    }

    /// Signs a zone on the primary, and answers it.
    pub fn sign(&self, zone: &str) -> Value {
        let path = format!("zones/{zone}");
        let body = json!({"dnssec": true});
        self.primary.ask("PUT", &path, Some(&body), 204);
        common(&self.primary.ask("GET", &path, None, 200))
    }

    /// Deletes a zone on the primary: the answer's status.
    pub fn delete(&self, zone: &str) -> u16 {
        self.primary
            .call("DELETE", &format!("zones/{zone}"), None)
            .0
    }

    /// Has the secondary learn which zones there are, and waits until it has.
    pub fn catch_up(&self) {
        let mark = self.retrieve(CATALOG);
        self.wait_until_transferred(mark);
    }

    /// Has the secondary transfer one zone's content, and waits until it has.
    pub fn transfer(&self, zone: &str) {
        let mark = self.retrieve(zone);
        self.wait_until_committed(mark, zone);
    }

    /// The same as [`catch_up`](Self::catch_up) while something holds the secondary's database:
    /// PowerDNS gives up what the catalog deletes, says so in its log, and goes on.
    pub fn catch_up_while_held(&self) {
        let held = Held::take(&self.programs, &self.secondary.database());
        let mark = self.retrieve(CATALOG);
        let failed = ["Catalog-Zone update failed"];
        self.secondary.wait_for(mark, &failed);
        drop(held);
        self.wait_until_committed(mark, CATALOG);
    }

    /// Asks for a transfer; the length of the log before it.
    fn retrieve(&self, zone: &str) -> usize {
        let mark = self.secondary.log().len();
        let path = format!("zones/{zone}/axfr-retrieve");
        self.secondary.ask("PUT", &path, None, 200);
        mark
    }

    /// Waits for the catalog, and for the content of every zone that it brings. The log tells:
    /// listing meanwhile could make the database refuse what is written.
    fn wait_until_transferred(&self, mark: usize) {
        self.wait_until_committed(mark, CATALOG);
        let log = self.secondary.log();
        let created = log[mark..]
            .lines()
            .filter_map(|line| line.split_once("Catalog-Zone create zone '"));
        for (_, zone) in created {
            self.wait_until_committed(mark, zone.trim_end_matches('\''));
        }
    }

    fn wait_until_committed(&self, mark: usize, zone: &str) {
        let zone = format!("zone: '{}'", zone.trim_end_matches('.'));
        self.secondary.wait_for(mark, &[&zone, "zone committed"]);
    }
}

/// The fields of a zone that mean the same on both servers; its kind, for one, does not.
fn common(zone: &Value) -> Value {
    let fields = ["id", "name", "serial", "edited_serial", "dnssec"];
    let fields = fields.map(|field| (field.to_string(), zone[field].clone()));
    Value::Object(fields.into_iter().collect())
}
